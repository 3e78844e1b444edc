import { Module } from '@nestjs/common';
import { AccessModule } from '../../access/access.module.js';
import { AuthModule } from '../../auth/auth.module.js';
import { AttachmentsController } from './attachments.controller.js';
import { AttachmentsService } from './attachments.service.js';
import { FileSweep } from './file-sweep.js';
import { Images } from './images.js';
import { SignedLinks } from './signed-links.js';

@Module({
  imports: [AccessModule, AuthModule],
  controllers: [AttachmentsController],
  providers: [AttachmentsService, FileSweep, Images, SignedLinks],
})
export class AttachmentsModule {}
