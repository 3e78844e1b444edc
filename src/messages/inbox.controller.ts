import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { AccessService } from '../access/access.service.js';
import { type Actor, Caller } from '../auth/actor.js';
import { SignedIn } from '../auth/stated-access.js';
import type { ConversationKind } from '../conversations/conversation.entity.js';
import { ApiPage } from '../platform/http/api-page.js';
import { IdPipe } from '../platform/http/id.pipe.js';
import { type Page, PageQuery } from '../platform/http/paging.js';
import { InboxItem, InboxService } from './inbox.service.js';
import { Optional } from '../platform/http/optional.js';

class InboxQuery extends PageQuery {
  @ApiPropertyOptional({ enum: ['session', 'channel', 'direct', 'thread'] })
  @Optional()
  @IsIn(['session', 'channel', 'direct', 'thread'])
  kind?: ConversationKind;
}

/** Stands in messages/ since each room is shown with its last message. */
@ApiTags('conversations')
@SignedIn()
@Controller('api/v1/conversations')
export class InboxController {
  constructor(
    private readonly access: AccessService,
    private readonly inbox: InboxService,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Your conversations of every kind, latest activity first' })
  @ApiPage(InboxItem)
  list(@Caller() caller: Actor, @Query() { kind, ...page }: InboxQuery): Promise<Page<InboxItem>> {
    return this.inbox.list(caller.userId, kind, page);
  }

  @Get(':id')
  @ApiOperation({ summary: 'One of them' })
  @ApiOkResponse({ type: InboxItem })
  async one(@Caller() caller: Actor, @Param('id', IdPipe) id: string): Promise<InboxItem> {
    return this.inbox.one(await this.access.enter(caller, id, 'read'));
  }

  @Get(':id/threads')
  @ApiOperation({ summary: 'The threads on its messages, latest activity first' })
  @ApiPage(InboxItem)
  async threads(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Query() page: PageQuery,
  ): Promise<Page<InboxItem>> {
    return this.inbox.threads(await this.access.enter(caller, id, 'read'), page);
  }
}
