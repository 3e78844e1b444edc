import { type DynamicModule, Module } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { AccessModule } from './access/access.module.js';
import { AgentAnswerer } from './agents/agent-answerer.js';
import { AgentsModule } from './agents/agents.module.js';
import { AuthModule } from './auth/auth.module.js';
import { ConversationsModule } from './conversations/conversations.module.js';
import { DirectsModule } from './directs/directs.module.js';
import { LegacyModule } from './legacy/legacy.module.js';
import { MessagesModule } from './messages/messages.module.js';
import { AttachmentsModule } from './messages/attachments/attachments.module.js';
import { SearchModule } from './messages/search/search.module.js';
import { OperationsModule } from './operations/operations.module.js';
import { NotificationsModule } from './notifications/notifications.module.js';
import { ConfigModule } from './platform/config/config.module.js';
import type { Config } from './platform/config/config.js';
import { DatabaseModule } from './platform/database/database.module.js';
import { EventsModule } from './platform/events/events.module.js';
import { FilesModule } from './platform/files/files.module.js';
import { LimitsModule } from './platform/limits/limits.module.js';
import { MailModule } from './platform/mail/mail.module.js';
import { MetricsModule } from './platform/metrics/metrics.module.js';
import { OutboundModule } from './platform/outbound/outbound.module.js';
import { NodesModule } from './platform/nodes/nodes.module.js';
import { SecretsModule } from './platform/secrets/secrets.module.js';
import { RealtimeModule } from './realtime/realtime.module.js';
import { ChannelsModule } from './servers/channels/channels.module.js';
import { CommunityModule } from './servers/community.module.js';
import { MembershipsModule } from './servers/memberships/memberships.module.js';
import { ServersModule } from './servers/servers/servers.module.js';
import { SessionsModule } from './sessions/sessions.module.js';
import { UsersModule } from './users/users.module.js';

/** The map of the house, from the ground up. Each row may use those above it in this list, never those below. */
@Module({})
export class AppModule {
  static with(config: Config, dataSource: DataSource): DynamicModule {
    const sessions = SessionsModule.answeredBy(AgentsModule, AgentAnswerer);
    return {
      module: AppModule,
      imports: [
        ConfigModule.with(config),
        DatabaseModule.with(dataSource),
        EventsModule,
        FilesModule,
        LimitsModule,
        MailModule,
        MetricsModule,
        OutboundModule,
        NodesModule,
        SecretsModule,

        UsersModule,
        AuthModule,
        AccessModule,
        ConversationsModule,
        MessagesModule,
        SearchModule,
        AttachmentsModule,

        AgentsModule,
        sessions,
        ServersModule,
        ChannelsModule,
        MembershipsModule,
        CommunityModule,
        DirectsModule,

        RealtimeModule,
        NotificationsModule,
        LegacyModule.speaking(config.legacyDialects, sessions),
        OperationsModule,
      ],
    };
  }
}
