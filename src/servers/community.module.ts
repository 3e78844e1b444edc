import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { AuditLogController } from './audit/audit-log.controller.js';
import { BansController } from './bans/bans.controller.js';
import { BansService } from './bans/bans.service.js';
import { InvitesController } from './invites/invites.controller.js';
import { InvitesService } from './invites/invites.service.js';
import { MembershipsModule } from './memberships/memberships.module.js';
import { ServersModule } from './servers/servers.module.js';

/** Who gets into a server, who does not, and who did what. */
@Module({
  imports: [AccessModule, MembershipsModule, MessagesModule, ServersModule],
  controllers: [AuditLogController, BansController, InvitesController],
  providers: [BansService, InvitesService],
})
export class CommunityModule {}
