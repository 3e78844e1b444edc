import { Controller, Delete, Get, HttpCode, Param, Put, Query } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiConflictResponse,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { AccessService } from '../../access/access.service.js';
import { type Actor, Caller } from '../../auth/actor.js';
import { SignedIn } from '../../auth/stated-access.js';
import { ApiPage } from '../../platform/http/api-page.js';
import { IdPipe } from '../../platform/http/id.pipe.js';
import { type Page, PageQuery } from '../../platform/http/paging.js';
import { Profile } from '../../users/profile.presenter.js';
import { MessageView } from '../message.presenter.js';
import { EmojiPipe } from './emoji.js';
import { ReactionsService } from './reactions.service.js';

@ApiTags('messages')
@ApiParam({ name: 'emoji', example: '👍', description: 'One emoji, or a short `:name:`.' })
@ApiBadRequestResponse({ description: '`validation_failed`: it is neither.' })
@ApiNotFoundResponse({ description: '`not_found`: no such message in a conversation that you can see.' })
@SignedIn()
@Controller('api/v1/conversations/:id/messages/:messageId/reactions/:emoji')
export class ReactionsController {
  constructor(
    private readonly access: AccessService,
    private readonly reactions: ReactionsService,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Who reacted with it, first come first' })
  @ApiPage(Profile)
  async list(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Param('messageId', IdPipe) messageId: string,
    @Param('emoji', EmojiPipe) emoji: string,
    @Query() page: PageQuery,
  ): Promise<Page<Profile>> {
    return this.reactions.list(await this.access.enter(caller, id, 'read'), messageId, emoji, page);
  }

  @Put()
  @ApiOperation({ summary: 'React; twice is once' })
  @ApiOkResponse({ type: MessageView })
  @ApiConflictResponse({ description: '`message_deleted`, or `too_many_reactions`: it has 20 other kinds.' })
  async add(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Param('messageId', IdPipe) messageId: string,
    @Param('emoji', EmojiPipe) emoji: string,
  ): Promise<MessageView> {
    return this.reactions.add(await this.access.enter(caller, id, 'write'), messageId, emoji);
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({ summary: 'Take your own reaction back; twice is once' })
  @ApiNoContentResponse()
  async remove(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Param('messageId', IdPipe) messageId: string,
    @Param('emoji', EmojiPipe) emoji: string,
  ): Promise<void> {
    await this.reactions.remove(await this.access.enter(caller, id, 'write'), messageId, emoji);
  }
}
