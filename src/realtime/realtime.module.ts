import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { ConversationsModule } from '../conversations/conversations.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { UsersModule } from '../users/users.module.js';
import { Admission } from './admission.js';
import { Attendance } from './attendance.js';
import { CatchingUp } from './catching-up.js';
import { LiveModule } from '../sessions/replies/live.module.js';
import { Frames } from './frames.js';
import { Handshake } from './handshake.js';
import { Hub } from './hub.js';
import { LoginWatch } from './login-watch.js';
import { Mending } from './mending.js';
import { Newcomers } from './newcomers.js';
import { ParleyDialect } from './parley-dialect.js';
import { Presence } from './presence.js';
import { RealtimeGateway } from './realtime.gateway.js';
import { Reactors } from './reactors.js';
import { RoomOrder } from './room-order.js';
import { SessionReview } from './session-review.js';
import { SocketServer } from './socket-server.js';
import { Subscriptions } from './subscriptions.js';
import { SyncService } from './sync.service.js';
import { Typing } from './typing.js';

@Module({
  imports: [AccessModule, AuthModule, ConversationsModule, LiveModule, MessagesModule, UsersModule],
  providers: [
    Admission,
    Attendance,
    CatchingUp,
    Frames,
    Handshake,
    Hub,
    LoginWatch,
    Mending,
    Newcomers,
    ParleyDialect,
    Presence,
    Reactors,
    RealtimeGateway,
    RoomOrder,
    SessionReview,
    SocketServer,
    Subscriptions,
    SyncService,
    Typing,
  ],
  exports: [Handshake, Hub, SocketServer, Typing],
})
export class RealtimeModule {}
