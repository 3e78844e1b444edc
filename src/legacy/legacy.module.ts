import { Module, type OnModuleInit } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { Config } from '../platform/config/config.js';
import { Handshake } from '../realtime/handshake.js';
import { RealtimeModule } from '../realtime/realtime.module.js';
import { SocketServer } from '../realtime/socket-server.js';
import { ServersDialect } from './api/servers.dialect.js';

/** The old systems' clients, each switched on or off by LEGACY_API. */
@Module({ imports: [AccessModule, MessagesModule, RealtimeModule], providers: [ServersDialect] })
export class LegacyModule implements OnModuleInit {
  constructor(
    private readonly config: Config,
    private readonly sockets: SocketServer,
    private readonly handshake: Handshake,
    private readonly servers: ServersDialect,
  ) {}

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
