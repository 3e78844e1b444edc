import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { ConversationsModule } from '../conversations/conversations.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { Answerer } from './answerer.js';
import { RepliesService } from './replies.service.js';
import { ReplyStore } from './reply-store.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsService } from './sessions.service.js';

@Module({})
export class SessionsModule {
  /** Takes the module that knows who answers, and the provider in it. */
  static answeredBy(module: Type, answerer: Type<Answerer>): DynamicModule {
    return {
      module: SessionsModule,
      imports: [AccessModule, ConversationsModule, MessagesModule, module],
      controllers: [SessionsController],
      providers: [SessionsService, RepliesService, ReplyStore, { provide: Answerer, useExisting: answerer }],
      exports: [SessionsService],
    };
  }
}
