import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';
import { Config } from '../platform/config/config.js';
import { UsersModule } from '../users/users.module.js';
import { Actors } from './actors.js';
import { AccountAudit } from './audit/account-audit.service.js';
import { AuthController } from './auth.controller.js';
import { AccessGuard } from './auth.guard.js';
import { AuthService } from './auth.service.js';
import { CredentialsController } from './credentials.controller.js';
import { Housekeeping } from './housekeeping.js';
import { JwtStrategy } from './jwt.strategy.js';
import { LoginsController } from './logins/logins.controller.js';
import { LoginsService } from './logins/logins.service.js';
import { NoticeReader } from './logins/notice-reader.js';
import { HashingLine } from './passwords/hashing-line.js';
import { PasswordChangeService } from './passwords/password-change.service.js';
import { PasswordsController } from './passwords/passwords.controller.js';
import { PasswordsOfAccounts } from './passwords/passwords-of-accounts.js';
import { Passwords } from './passwords/passwords.js';
import { ProfileService } from './profile.service.js';
import { SecondFactorController } from './second-factor/second-factor.controller.js';
import { SecondFactorService } from './second-factor/second-factor.service.js';
import { TicketsController } from './tickets/tickets.controller.js';
import { TicketsService } from './tickets/tickets.service.js';
import { signingKey } from './signing-key.js';
import { TOKEN_AUDIENCE, TokensService } from './tokens.service.js';
import { UsersController } from './users.controller.js';

@Module({
  imports: [
    UsersModule,
    PassportModule,
    JwtModule.registerAsync({
      inject: [Config],
      useFactory: (config: Config) => {
        const { algorithm } = config;
        const key = signingKey(config);
        return {
          secretOrKeyProvider: () => key,
          signOptions: { algorithm, audience: TOKEN_AUDIENCE },
          verifyOptions: { algorithms: [algorithm], audience: TOKEN_AUDIENCE },
        };
      },
    }),
  ],
  controllers: [
    AuthController,
    CredentialsController,
    LoginsController,
    PasswordsController,
    SecondFactorController,
    TicketsController,
    UsersController,
  ],
  providers: [
    AccountAudit,
    Actors,
    AuthService,
    HashingLine,
    Housekeeping,
    JwtStrategy,
    LoginsService,
    NoticeReader,
    PasswordChangeService,
    Passwords,
    PasswordsOfAccounts,
    ProfileService,
    SecondFactorService,
    TicketsService,
    TokensService,
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
  exports: [AccountAudit, Actors, AuthService, LoginsService, TicketsService, TokensService],
})
export class AuthModule {}
