import { Controller, Param, Post, Res } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { AccessService } from '../../access/access.service.js';
import { type Actor, Caller } from '../../auth/actor.js';
import { SignedIn } from '../../auth/stated-access.js';
import { IdPipe } from '../../platform/http/id.pipe.js';
import { InboxItem, InboxService } from '../inbox.service.js';
import { ThreadsService } from './threads.service.js';

@ApiTags('messages')
@SignedIn()
@Controller('api/v1/conversations/:id/messages/:messageId/thread')
export class ThreadsController {
  constructor(
    private readonly access: AccessService,
    private readonly threads: ThreadsService,
    private readonly inbox: InboxService,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Open the thread of a message, or have the one there is; it is a conversation' })
  @ApiCreatedResponse({ type: InboxItem })
  @ApiOkResponse({ type: InboxItem, description: 'It was open already.' })
  @ApiConflictResponse({ description: '`thread_in_thread` or `message_deleted`.' })
  @ApiNotFoundResponse({ description: '`not_found`: no such message in a conversation that you can see.' })
  async open(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Param('messageId', IdPipe) messageId: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<InboxItem> {
    const thread = await this.threads.open(await this.access.enter(caller, id, 'write'), messageId);
    response.status(thread.created ? 201 : 200);
    return this.inbox.one(await this.access.enter(caller, thread.id, 'read'));
  }
}
