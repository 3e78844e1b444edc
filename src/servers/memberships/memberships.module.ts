import { Module } from '@nestjs/common';
import { AccessModule } from '../../access/access.module.js';
import { ConversationsModule } from '../../conversations/conversations.module.js';
import { UsersModule } from '../../users/users.module.js';
import { MembershipsController } from './memberships.controller.js';
import { MembershipsService } from './memberships.service.js';

@Module({
  imports: [AccessModule, ConversationsModule, UsersModule],
  controllers: [MembershipsController],
  providers: [MembershipsService],
  exports: [MembershipsService],
})
export class MembershipsModule {}
