import { Module } from '@nestjs/common';
import { ConversationsModule } from '../conversations/conversations.module.js';
import { DirectsController } from './directs.controller.js';
import { DirectsService } from './directs.service.js';

@Module({
  imports: [ConversationsModule],
  controllers: [DirectsController],
  providers: [DirectsService],
})
export class DirectsModule {}
