import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { AppendStore } from './append-store.js';
import { HistoryService } from './history.service.js';
import { InboxController } from './inbox.controller.js';
import { InboxService } from './inbox.service.js';
import { MessageChanges } from './message-changes.js';
import { MessagesController } from './messages.controller.js';
import { MessagesService } from './messages.service.js';
import { ReactionsController } from './reactions/reactions.controller.js';
import { ReactionsService } from './reactions/reactions.service.js';
import { WriteQueue } from './write-queue.js';

@Module({
  imports: [AccessModule],
  controllers: [MessagesController, ReactionsController, InboxController],
  providers: [AppendStore, HistoryService, InboxService, MessageChanges, MessagesService, ReactionsService, WriteQueue],
  exports: [HistoryService, MessagesService, WriteQueue],
})
export class MessagesModule {}
