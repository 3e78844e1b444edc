import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, type StreamableFile } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AccessService } from '../../access/access.service.js';
import type { Moderator } from '../../access/pass.js';
import { type Actor, Caller } from '../../auth/actor.js';
import { SignedIn } from '../../auth/stated-access.js';
import { HistoryService } from '../../messages/history.service.js';
import { MessagesService } from '../../messages/messages.service.js';
import { ScribeService } from '../../messages/scribe.service.js';
import { Problem } from '../../platform/http/problem.js';
import type { SessionView } from '../../sessions/session.presenter.js';
import { SessionList } from '../../sessions/session-list.js';
import { SessionsService } from '../../sessions/sessions.service.js';
import {
  OldChatMessage,
  OldChatSession,
  OldContentBody,
  OldDone,
  OldSideBody,
  OldTitleBody,
  presentOldMessage,
  presentOldSession,
} from './chat-sessions.dto.js';
import { OldIds } from './old-ids.js';
import { everyPage, jsonArray, wholeHistory } from './whole-lists.js';

/** Sessions whose owner writes down both sides of the talk. An agent session without an agent is one of them. */
@ApiTags('legacy: chat-sessions')
@SignedIn()
@Controller('chat_sessions')
export class OldChatSessionsController {
  constructor(
    private readonly access: AccessService,
    private readonly sessions: SessionsService,
    private readonly listed: SessionList,
    private readonly messages: MessagesService,
    private readonly scribes: ScribeService,
    private readonly history: HistoryService,
    private readonly oldIds: OldIds,
  ) {}

  @Get()
  @ApiOperation({ deprecated: true, summary: 'Your sessions, latest activity first' })
  @ApiOkResponse({ type: [OldChatSession] })
  list(@Caller() caller: Actor): Promise<StreamableFile> {
    const pages = everyPage((page) => this.listed.of(caller, { ...page, type: 'agent' }));
    return jsonArray(pages, (session) => (isWrittenDown(session) ? presentOldSession(session) : undefined));
  }

  @Post()
  @ApiOperation({ deprecated: true, summary: 'Create a session' })
  @ApiCreatedResponse({ type: OldChatSession })
  async create(@Caller() caller: Actor, @Body() { title }: OldTitleBody): Promise<OldChatSession> {
    const { session } = await this.sessions.create(caller, { type: 'agent', title, unanswered: true });
    return presentOldSession(session);
  }

  @Put(':id')
  @ApiOperation({ deprecated: true, summary: 'Rename a session' })
  @ApiOkResponse({ type: OldChatSession })
  async rename(
    @Caller() caller: Actor,
    @Param('id') id: string,
    @Body() { title }: OldTitleBody,
  ): Promise<OldChatSession> {
    return presentOldSession(await this.sessions.change(await this.enter(caller, id), { title }));
  }

  @Delete(':id')
  @HttpCode(200)
  @ApiOperation({ deprecated: true, summary: 'Delete a session with its messages' })
  @ApiOkResponse({ type: OldDone })
  async delete(@Caller() caller: Actor, @Param('id') id: string): Promise<OldDone> {
    await this.sessions.delete(await this.enter(caller, id));
    return { message: 'Session deleted' };
  }

  @Get(':id/messages')
  @ApiOperation({ deprecated: true, summary: 'All messages of a session in their order' })
  @ApiOkResponse({ type: [OldChatMessage] })
  async listMessages(@Caller() caller: Actor, @Param('id') id: string): Promise<StreamableFile> {
    return jsonArray(wholeHistory(this.history, await this.enter(caller, id)), presentOldMessage);
  }

  @Post(':id/messages')
  @ApiOperation({ deprecated: true, summary: 'Store a message of either side; nothing answers by itself' })
  @ApiCreatedResponse({ type: OldChatMessage })
  async add(
    @Caller() caller: Actor,
    @Param('id') id: string,
    @Body() { content, is_user_message }: OldSideBody,
  ): Promise<OldChatMessage> {
    const { room } = await this.enter(caller, id);
    if (!is_user_message) {
      return presentOldMessage(await this.scribes.tell(await this.access.enterAsScribe(caller, room.id), content));
    }
    const writer = await this.access.enter(caller, room.id, 'write', 'session');
    return presentOldMessage((await this.messages.append(writer, { content })).message);
  }

  @Put(':id/messages/:messageId')
  @ApiOperation({ deprecated: true, summary: 'Change a message' })
  @ApiOkResponse({ type: OldChatMessage })
  async change(
    @Caller() caller: Actor,
    @Param('id') id: string,
    @Param('messageId') messageId: string,
    @Body() { content }: OldContentBody,
  ): Promise<OldChatMessage> {
    const { room } = await this.enter(caller, id);
    const scribe = await this.access.enterAsScribe(caller, room.id);
    const message = await this.oldIds.find('message', messageId, room.id);
    return presentOldMessage(await this.messages.edit(scribe, message, content));
  }

  @Delete(':id/messages/:messageId')
  @HttpCode(200)
  @ApiOperation({ deprecated: true, summary: 'Delete a message' })
  @ApiOkResponse({ type: OldDone })
  async remove(
    @Caller() caller: Actor,
    @Param('id') id: string,
    @Param('messageId') messageId: string,
  ): Promise<OldDone> {
    const pass = await this.enter(caller, id);
    await this.messages.delete(pass, await this.oldIds.find('message', messageId, pass.room.id));
    return { message: 'Message deleted' };
  }

  /** Throws 403 for somebody else's session, 404 for one that is none of this dialect's. */
  private async enter(caller: Actor, given: string): Promise<Moderator> {
    const id = await this.oldIds.session(caller, given);
    const pass = await this.access.enter(caller, id, 'own', 'session');
    if (!isWrittenDown(await this.sessions.read(pass))) throw Problem.notFound('This session');
    return pass;
  }
}

function isWrittenDown({ type, agent }: SessionView): boolean {
  return type === 'agent' && !agent;
}
