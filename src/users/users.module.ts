import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CredentialsService } from './credentials/credentials.service.js';
import { Roster } from './presence/roster.js';
import { User } from './user.entity.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([User])],
  providers: [CredentialsService, Roster, UsersService],
  exports: [CredentialsService, Roster, UsersService],
})
export class UsersModule {}
