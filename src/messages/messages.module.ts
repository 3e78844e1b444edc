import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { ConversationsModule } from '../conversations/conversations.module.js';
import { AnswerAgain } from './answer-again.js';
import { AppendStore } from './append-store.js';
import { AttachingStore } from './attachments/attaching-store.js';
import { Doubts } from './doubts.js';
import { EarlyStatistics } from './early-statistics.js';
import { HistoryService } from './history.service.js';
import { InboxController } from './inbox.controller.js';
import { InboxService } from './inbox.service.js';
import { MessageChanges } from './message-changes.js';
import { WhoIsHere } from './mentions/who-is-here.js';
import { MessagesController } from './messages.controller.js';
import { MessagesService } from './messages.service.js';
import { PinsController } from './pins/pins.controller.js';
import { PinsService } from './pins/pins.service.js';
import { ReactionsController } from './reactions/reactions.controller.js';
import { ReactionsService } from './reactions/reactions.service.js';
import { RevisionsController } from './revisions/revisions.controller.js';
import { RevisionsService } from './revisions/revisions.service.js';
import { ScribeService } from './scribe.service.js';
import { ThreadsController } from './threads/threads.controller.js';
import { ThreadsService } from './threads/threads.service.js';
import { UsersModule } from '../users/users.module.js';
import { WriteQueue } from './write-queue.js';

@Module({
  imports: [AccessModule, ConversationsModule, UsersModule],
  controllers: [
    MessagesController,
    RevisionsController,
    ReactionsController,
    PinsController,
    ThreadsController,
    InboxController,
  ],
  providers: [
    AnswerAgain,
    AppendStore,
    AttachingStore,
    Doubts,
    EarlyStatistics,
    HistoryService,
    InboxService,
    MessageChanges,
    MessagesService,
    PinsService,
    ReactionsService,
    RevisionsService,
    ScribeService,
    ThreadsService,
    WhoIsHere,
    WriteQueue,
  ],
  exports: [AnswerAgain, HistoryService, MessageChanges, MessagesService, ScribeService, WriteQueue],
})
export class MessagesModule {}
