import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccessModule } from '../../access/access.module.js';
import { ConversationsModule } from '../../conversations/conversations.module.js';
import { Channel } from './channel.entity.js';
import { CategoriesController } from './categories.controller.js';
import { CategoriesService } from './categories.service.js';
import { ChannelsController } from './channels.controller.js';
import { ChannelsService } from './channels.service.js';

@Module({
  imports: [AccessModule, ConversationsModule, TypeOrmModule.forFeature([Channel])],
  controllers: [CategoriesController, ChannelsController],
  providers: [CategoriesService, ChannelsService],
  exports: [CategoriesService, ChannelsService],
})
export class ChannelsModule {}
