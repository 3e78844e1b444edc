import { Body, Controller, Get, HttpCode, Param, Post, Query, type StreamableFile } from '@nestjs/common';
import { ApiBadGatewayResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { randomBytes } from 'node:crypto';
import { AccessService } from '../../access/access.service.js';
import { type Actor, Caller } from '../../auth/actor.js';
import { SignedIn } from '../../auth/stated-access.js';
import { HistoryService } from '../../messages/history.service.js';
import { MAX_CONTENT } from '../../messages/messages.dto.js';
import { MessagesService } from '../../messages/messages.service.js';
import { Problem } from '../../platform/http/problem.js';
import { problemOf } from '../../platform/http/problem.filter.js';
import type { SessionView } from '../../sessions/session.presenter.js';
import { SessionsService } from '../../sessions/sessions.service.js';
import { OldAnswers } from './old-answers.js';
import { OldIds } from './old-ids.js';
import {
  nameOf,
  OldAnswer,
  OldAskBody,
  OldCallerQuery,
  OldPeerBody,
  OldPeerHistory,
  OldPeerMessage,
  OldSent,
  OldStartBody,
  OldStarted,
  presentPeerMessage,
  presentPeerSession,
} from './peer-chat.dto.js';
import { jsonArray, wholeHistory } from './whole-lists.js';

/** Sessions with an agent or an advocate, by the names that clients know them by. */
@ApiTags('legacy: peer-chat')
@SignedIn()
@Controller('api')
export class OldPeerChatController {
  constructor(
    private readonly access: AccessService,
    private readonly sessions: SessionsService,
    private readonly messages: MessagesService,
    private readonly history: HistoryService,
    private readonly answers: OldAnswers,
    private readonly oldIds: OldIds,
  ) {}

  @Get('chat/:sessionId/messages')
  @ApiOperation({ deprecated: true, summary: 'All messages of a session in their order, and the session' })
  @ApiOkResponse({ type: OldPeerHistory })
  async list(
    @Caller() caller: Actor,
    @Param('sessionId') sessionId: string,
    @Query() { userId, peerAdvocateId }: OldCallerQuery,
  ): Promise<StreamableFile> {
    await this.oldIds.mustBeCaller(caller, userId, peerAdvocateId);
    const id = await this.oldIds.session(caller, sessionId);
    const reader = await this.access.enter(caller, id, 'read', 'session');
    const session = await this.sessions.read(reader);
    const around: [string, string] = [
      '{"ok":true,"messages":',
      `,"session":${JSON.stringify(presentPeerSession(session))}}`,
    ];
    return jsonArray(wholeHistory(this.history, reader), (message) => presentPeerMessage(session, message), around);
  }

  @Post('peer-chat/start')
  @HttpCode(200)
  @ApiOperation({ deprecated: true, summary: 'Start a session with an advocate, or wait for one' })
  @ApiOkResponse({ type: OldStarted })
  async start(@Caller() caller: Actor, @Body() { userId, peerAdvocateId }: OldStartBody): Promise<OldStarted> {
    await this.oldIds.mustBeCaller(caller, userId);
    const advocateId = peerAdvocateId && (await this.oldIds.find('user', peerAdvocateId));
    const externalId = `peer-${Date.now()}-${randomBytes(9).toString('hex')}`;
    const draft = { type: 'peer' as const, externalId, ...(advocateId && { advocateId }) };
    const { session } = await this.sessions.create(caller, draft);
    return { ok: true, sessionId: nameOf(session), peerAdvocateId: session.advocate?.id ?? null };
  }

  @Post('peer-chat/:sessionId/message')
  @HttpCode(200)
  @ApiOperation({ deprecated: true, summary: 'Say something in a session with an advocate, on your own side' })
  @ApiOkResponse({ type: OldSent })
  async send(
    @Caller() caller: Actor,
    @Param('sessionId') sessionId: string,
    @Body() { content, from }: OldPeerBody,
  ): Promise<OldSent> {
    const text = mustBeContent(content);
    if (from !== 'user' && from !== 'peer') throw badInput(`Invalid 'from' value. Must be 'user' or 'peer'`);
    const id = await this.oldIds.session(caller, sessionId);
    const writer = await this.access.enter(caller, id, 'write', 'session');
    const session = await this.sessions.read(writer);
    if (session.type !== 'peer') throw badInput('This endpoint is only for peer chat sessions');
    if (writer.role !== from) throw Problem.forbidden(`You are not on the side '${from}' of this session`);
    const { message } = await this.messages.append(writer, { content: text });
    return { ok: true, message: presentPeerMessage(session, message) as OldPeerMessage };
  }

  @Post('chat')
  @HttpCode(200)
  @ApiOperation({ deprecated: true, summary: 'Say something to the agent; its reply is the answer' })
  @ApiOkResponse({ type: OldAnswer })
  @ApiBadGatewayResponse({ description: 'The agent does not answer; the message is kept.' })
  async ask(@Caller() caller: Actor, @Body() body: OldAskBody): Promise<OldAnswer> {
    await this.oldIds.mustBeCaller(caller, body.userId, userIdIn(body.userMeta));
    const session = await this.sessionFor(caller, body.sessionId);
    const writer = await this.access.enter(caller, session.id, 'write', 'session');
    const { reply } = await this.answers.ask(writer, body.chatInput);
    return { ok: true, reply: reply.content ?? '', sessionId: nameOf(session) };
  }

  /** The caller's session of this name, made where there is none. Throws 403 where it is somebody else's. */
  private async sessionFor(caller: Actor, name: string | undefined): Promise<SessionView> {
    const id = name === undefined ? undefined : await this.existing(caller, name);
    if (id) return this.answers.sessionWithAgent(await this.access.enter(caller, id, 'own', 'session'), 'webhook');
    const agentId = (await this.answers.agent('webhook')).id;
    const draft = { type: 'agent' as const, agentId, ...(name !== undefined && { externalId: name }) };
    return (await this.sessions.create(caller, draft)).session;
  }

  private async existing(caller: Actor, name: string): Promise<string | undefined> {
    try {
      return await this.oldIds.session(caller, name);
    } catch (error) {
      if (problemOf(error).status === 404) return undefined;
      throw error;
    }
  }
}

function mustBeContent(content: unknown): string {
  const text = typeof content === 'string' ? content.trim() : '';
  if (text === '') throw badInput('Message content is required');
  if (Array.from(text).length > MAX_CONTENT) throw badInput(`Message content is over ${MAX_CONTENT} characters`);
  return text;
}

function badInput(detail: string): Problem {
  return new Problem(400, 'validation_failed', detail);
}

function userIdIn(userMeta: unknown): unknown {
  return typeof userMeta === 'object' && userMeta !== null && 'userId' in userMeta ? userMeta.userId : undefined;
}
