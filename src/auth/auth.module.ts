import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';
import { Config } from '../platform/config/config.js';
import { UsersModule } from '../users/users.module.js';
import { Actors } from './actors.js';
import { AuthController } from './auth.controller.js';
import { AccessGuard } from './auth.guard.js';
import { AuthService } from './auth.service.js';
import { JwtStrategy } from './jwt.strategy.js';
import { Passwords } from './passwords.js';
import { TOKEN_AUDIENCE, TokensService } from './tokens.service.js';
import { UsersController } from './users.controller.js';

@Module({
  imports: [
    UsersModule,
    PassportModule,
    JwtModule.registerAsync({
      inject: [Config],
      useFactory: ({ secretKey, algorithm }: Config) => ({
        secret: secretKey,
        signOptions: { algorithm, audience: TOKEN_AUDIENCE },
        verifyOptions: { algorithms: [algorithm], audience: TOKEN_AUDIENCE },
      }),
    }),
  ],
  controllers: [AuthController, UsersController],
  providers: [
    Actors,
    AuthService,
    JwtStrategy,
    Passwords,
    TokensService,
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
  exports: [Actors, TokensService],
})
export class AuthModule {}
