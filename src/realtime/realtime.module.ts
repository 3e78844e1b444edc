import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { ConversationsModule } from '../conversations/conversations.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { Frames } from './frames.js';
import { Handshake } from './handshake.js';
import { Hub } from './hub.js';
import { LoginWatch } from './login-watch.js';
import { ParleyDialect } from './parley-dialect.js';
import { RealtimeGateway } from './realtime.gateway.js';
import { SocketServer } from './socket-server.js';
import { SyncService } from './sync.service.js';

@Module({
  imports: [AccessModule, AuthModule, ConversationsModule, MessagesModule],
  providers: [Frames, Handshake, Hub, LoginWatch, ParleyDialect, RealtimeGateway, SocketServer, SyncService],
  exports: [Handshake, Hub, SocketServer],
})
export class RealtimeModule {}
