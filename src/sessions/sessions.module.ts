import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { ConversationsModule } from '../conversations/conversations.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { Answerer } from './answerer.js';
import { PeerController } from './peer/peer.controller.js';
import { PeerService } from './peer/peer.service.js';
import { QueueService } from './peer/queue.service.js';
import { ToldQueue } from './peer/told-queue.js';
import { Following } from './replies/following.js';
import { LiveModule } from './replies/live.module.js';
import { RepliesController } from './replies/replies.controller.js';
import { RepliesService } from './replies/replies.service.js';
import { ReplyEnding } from './replies/reply-ending.js';
import { ReplyQuestion } from './replies/reply-question.js';
import { ReplyStore } from './replies/reply-store.js';
import { ReplyStream } from './replies/reply-stream.js';
import { ReplyWorker } from './replies/reply-worker.js';
import { Speaking } from './replies/speaking.js';
import { ToldReplies } from './replies/told-replies.js';
import { SessionMending } from './session-mending.js';
import { SessionList } from './session-list.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsService } from './sessions.service.js';

const PEER = [PeerService, QueueService];
const REPLIES = [RepliesService, Following, ReplyEnding, ReplyQuestion, ReplyStore, ReplyStream, ReplyWorker, Speaking];
const MENDING = [SessionMending, ToldQueue, ToldReplies];

@Module({})
export class SessionsModule {
  /** Takes the module that knows who answers, and the provider in it. */
  static answeredBy(module: Type, answerer: Type<Answerer>): DynamicModule {
    return {
      module: SessionsModule,
      imports: [AccessModule, AuthModule, ConversationsModule, LiveModule, MessagesModule, module],
      controllers: [PeerController, SessionsController, RepliesController],
      providers: [
        SessionsService,
        SessionList,
        ...PEER,
        ...REPLIES,
        ...MENDING,
        { provide: Answerer, useExisting: answerer },
      ],
      exports: [SessionsService, SessionList, RepliesService, Following],
    };
  }
}
