import {
  type DynamicModule,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import { urlencoded } from 'express';
import { AccessModule } from '../access/access.module.js';
import { AgentsModule } from '../agents/agents.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { Config, type LegacyDialect } from '../platform/config/config.js';
import { Handshake } from '../realtime/handshake.js';
import { RealtimeModule } from '../realtime/realtime.module.js';
import { SocketServer } from '../realtime/socket-server.js';
import { ChannelsModule } from '../servers/channels/channels.module.js';
import { MembershipsModule } from '../servers/memberships/memberships.module.js';
import { ServersModule } from '../servers/servers/servers.module.js';
import { OldCharactersController } from './api/characters.controller.js';
import { OldChatSessionsController } from './api/chat-sessions.controller.js';
import { OldAccountsController, OldConversationsController } from './api/conversations.controller.js';
import { OldAnswers } from './api/old-answers.js';
import { OldIds } from './api/old-ids.js';
import { OldPeerChatController } from './api/peer-chat.controller.js';
import { OldServersController } from './api/servers.controller.js';
import { ServersDialect } from './api/servers.dialect.js';
import { OldSessionListsController } from './api/session-lists.controller.js';

const CONTROLLERS: Record<LegacyDialect, Type[]> = {
  characters: [OldSessionListsController, OldCharactersController],
  'chat-sessions': [OldChatSessionsController],
  'peer-chat': [OldSessionListsController, OldPeerChatController],
  conversations: [OldAccountsController, OldConversationsController],
  servers: [OldServersController],
};

/** The old systems' clients, each switched on or off by LEGACY_API. */
@Module({})
export class LegacyModule implements NestModule, OnModuleInit {
  constructor(
    private readonly config: Config,
    private readonly sockets: SocketServer,
    private readonly handshake: Handshake,
    private readonly servers: ServersDialect,
  ) {}

  /** Takes the dialects that are spoken, and the sessions as they are put together for this app. */
  static speaking(dialects: ReadonlySet<LegacyDialect>, sessions: DynamicModule): DynamicModule {
    const built = [AccessModule, AgentsModule, AuthModule, MessagesModule, RealtimeModule];
    return {
      module: LegacyModule,
      imports: [...built, ServersModule, ChannelsModule, MembershipsModule, sessions],
      controllers: [...new Set([...dialects].flatMap((dialect) => CONTROLLERS[dialect]))],
      providers: [OldAnswers, OldIds, ServersDialect],
    };
  }

  configure(consumer: MiddlewareConsumer): void {
    if (!this.config.legacyDialects.has('conversations')) return;
    consumer.apply(urlencoded({ extended: false, limit: '16kb' })).forRoutes(OldAccountsController);
  }

  onModuleInit(): void {
    if (!this.config.legacyDialects.has('servers')) return;
    this.sockets.register({
      path: '/chat/ws',
      dialect: this.servers,
      welcome: (request) => {
        const { searchParams } = new URL(request.url ?? '/', 'http://parley');
        return this.handshake.welcomeToken(request, searchParams.get('token'));
      },
    });
  }
}
