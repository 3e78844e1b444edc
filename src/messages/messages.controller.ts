import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiForbiddenResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { AccessService } from '../access/access.service.js';
import { type Actor, Caller } from '../auth/actor.js';
import { SignedIn } from '../auth/stated-access.js';
import { ApiPage } from '../platform/http/api-page.js';
import { IdPipe } from '../platform/http/id.pipe.js';
import { type Page, readCursor } from '../platform/http/paging.js';
import { Problem } from '../platform/http/problem.js';
import { Changes, HistoryService, type Place } from './history.service.js';
import { MessageView } from './message.presenter.js';
import { BulkDeleted, BulkDeletion, ChangesQuery, EditBody, HistoryQuery, SendBody } from './messages.dto.js';
import { MessagesService } from './messages.service.js';

@ApiTags('messages')
@SignedIn()
@Controller('api/v1/conversations/:id')
export class MessagesController {
  constructor(
    private readonly access: AccessService,
    private readonly messages: MessagesService,
    private readonly history: HistoryService,
  ) {}

  @Get('messages')
  @ApiOperation({ summary: 'History by seq, the newest page by default' })
  @ApiPage(MessageView)
  async list(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Query() query: HistoryQuery,
  ): Promise<Page<MessageView>> {
    const reader = await this.access.enter(caller, id, 'read');
    const place = placeOf(query);
    const { items, more } = await this.history.page(reader, place, query.limit);
    return { items, nextCursor: more ? nextCursor(place, items) : null };
  }

  @Post('messages')
  @ApiOperation({ summary: 'Send; it is on disk when the answer comes' })
  @ApiCreatedResponse({ type: MessageView })
  @ApiOkResponse({ type: MessageView, description: 'This nonce had been sent before: the message of that time.' })
  @ApiConflictResponse({ description: '`nonce_reused`, `session_closed` or `voice_channel`.' })
  async send(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Body() body: SendBody,
    @Res({ passthrough: true }) response: Response,
  ): Promise<MessageView> {
    const writer = await this.access.enter(caller, id, 'write');
    const { message, created } = await this.messages.append(writer, body);
    response.status(created ? 201 : 200);
    return message;
  }

  @Patch('messages/:messageId')
  @ApiOperation({ summary: 'Edit your own message' })
  @ApiOkResponse({ type: MessageView })
  async edit(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Param('messageId', IdPipe) messageId: string,
    @Body() { content }: EditBody,
  ): Promise<MessageView> {
    const writer = await this.access.enter(caller, id, 'write');
    return this.messages.edit(writer, messageId, content);
  }

  @Delete('messages/:messageId')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a message; its place stays, its text goes' })
  @ApiNoContentResponse()
  async delete(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Param('messageId', IdPipe) messageId: string,
  ): Promise<void> {
    const pass = await this.access.enterToChange(caller, id);
    await this.messages.delete(pass, messageId);
  }

  @Post('messages/bulk-delete')
  @HttpCode(200)
  @ApiOperation({ summary: 'Delete up to 100 messages at once; for moderators' })
  @ApiOkResponse({ type: BulkDeleted, description: 'What was deleted already, or is not of here, is not counted.' })
  @ApiForbiddenResponse({ description: '`forbidden`' })
  async deleteMany(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Body() { messageIds }: BulkDeletion,
  ): Promise<BulkDeleted> {
    const moderator = await this.access.enter(caller, id, 'moderate');
    return { deleted: await this.messages.deleteMany(moderator, messageIds) };
  }

  @Delete('messages')
  @HttpCode(204)
  @ApiOperation({ summary: 'Take everything out of a session; for its owner' })
  @ApiNoContentResponse()
  async clear(@Caller() caller: Actor, @Param('id', IdPipe) id: string): Promise<void> {
    await this.messages.clear(await this.access.enter(caller, id, 'clear'));
  }

  @Get('changes')
  @ApiOperation({ summary: 'Everything that changed since a rev, in order' })
  @ApiOkResponse({ type: Changes })
  async changes(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Query() { after, limit }: ChangesQuery,
  ): Promise<Changes> {
    const reader = await this.access.enter(caller, id, 'read');
    return this.history.changes(reader, after, limit);
  }
}

/** The cursor of a page holds its direction and seq: it stands for `before` or `after`. */
function placeOf({ cursor, before, after, around }: HistoryQuery): Place {
  const [direction, seq] = readCursor(cursor, ['string', 'number']) ?? [];
  const place: Place = cursor === undefined ? { before, after, around } : { [direction as string]: seq };
  if (Object.values(place).filter((value) => value !== undefined).length > 1) {
    throw Problem.invalid('before', 'cannot be given together with after or around');
  }
  return place;
}

function nextCursor({ after }: Place, items: MessageView[]): string | null {
  const edge = after === undefined ? items.at(0) : items.at(-1);
  const key = edge && [after === undefined ? 'before' : 'after', edge.seq];
  return key ? Buffer.from(JSON.stringify(key)).toString('base64url') : null;
}
