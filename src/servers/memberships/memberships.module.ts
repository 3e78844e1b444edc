import { Module } from '@nestjs/common';
import { AccessModule } from '../../access/access.module.js';
import { ConversationsModule } from '../../conversations/conversations.module.js';
import { MembershipsController } from './memberships.controller.js';
import { MembershipsService } from './memberships.service.js';

@Module({
  imports: [AccessModule, ConversationsModule],
  controllers: [MembershipsController],
  providers: [MembershipsService],
  exports: [MembershipsService],
})
export class MembershipsModule {}
