import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { NotificationsController } from './notifications.controller.js';
import { NotificationsService } from './notifications.service.js';
import { Notifier } from './notifier.js';

@Module({
  imports: [AccessModule],
  controllers: [NotificationsController],
  providers: [NotificationsService, Notifier],
})
export class NotificationsModule {}
