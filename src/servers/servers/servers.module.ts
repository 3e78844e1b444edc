import { Module } from '@nestjs/common';
import { AccessModule } from '../../access/access.module.js';
import { ConversationsModule } from '../../conversations/conversations.module.js';
import { ChannelsModule } from '../channels/channels.module.js';
import { MembershipsModule } from '../memberships/memberships.module.js';
import { ServersController } from './servers.controller.js';
import { ServersService } from './servers.service.js';

@Module({
  imports: [AccessModule, ConversationsModule, ChannelsModule, MembershipsModule],
  controllers: [ServersController],
  providers: [ServersService],
  exports: [ServersService],
})
export class ServersModule {}
