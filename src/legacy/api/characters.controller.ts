import { Body, Controller, Delete, Get, HttpCode, Param, Post, Res, type StreamableFile } from '@nestjs/common';
import { ApiBadGatewayResponse, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { AccessService } from '../../access/access.service.js';
import type { Moderator } from '../../access/pass.js';
import { AgentFinder } from '../../agents/agent-finder.js';
import { AgentsService } from '../../agents/agents.service.js';
import { type Actor, Caller } from '../../auth/actor.js';
import { SignedIn } from '../../auth/stated-access.js';
import { HistoryService } from '../../messages/history.service.js';
import { MessagesService } from '../../messages/messages.service.js';
import { Problem } from '../../platform/http/problem.js';
import { SessionsService } from '../../sessions/sessions.service.js';
import {
  OldCharacterAnswer,
  OldCharacterBody,
  OldCharacterMessage,
  OldCharacterSession,
  OldCleared,
  OldSayBody,
  presentCharacterMessage,
  presentCharacterSession,
} from './characters.dto.js';
import { OldAnswers } from './old-answers.js';
import { OldIds } from './old-ids.js';
import { jsonArray, wholeHistory } from './whole-lists.js';

/** One private session for each person and character: a standing session. The list is in session-lists.controller.ts. */
@ApiTags('legacy: characters')
@SignedIn()
@Controller('api/chat/sessions')
export class OldCharactersController {
  constructor(
    private readonly access: AccessService,
    private readonly agents: AgentsService,
    private readonly finder: AgentFinder,
    private readonly sessions: SessionsService,
    private readonly messages: MessagesService,
    private readonly history: HistoryService,
    private readonly answers: OldAnswers,
    private readonly oldIds: OldIds,
  ) {}

  @Post()
  @ApiOperation({ deprecated: true, summary: 'Find or create your session with a character' })
  @ApiCreatedResponse({ type: OldCharacterSession })
  @ApiOkResponse({ type: OldCharacterSession, description: 'There was one already.' })
  async open(
    @Caller() caller: Actor,
    @Body() { characterId }: OldCharacterBody,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OldCharacterSession | undefined> {
    const { session, created } = await this.sessions.standing(caller, await this.agentOf(characterId));
    response.status(created ? 201 : 200);
    return presentCharacterSession(session);
  }

  @Get(':id/messages')
  @ApiOperation({ deprecated: true, summary: 'All messages of a session in their order' })
  @ApiOkResponse({ type: [OldCharacterMessage] })
  async list(@Caller() caller: Actor, @Param('id') id: string): Promise<StreamableFile> {
    const pages = wholeHistory(this.history, await this.enter(caller, id, 'own'));
    return jsonArray(pages, (message) => presentCharacterMessage(caller.userId, message));
  }

  @Post(':id/messages')
  @ApiOperation({ deprecated: true, summary: 'Say something; the answer comes when the character has answered' })
  @ApiCreatedResponse({ type: OldCharacterAnswer })
  @ApiBadGatewayResponse({ description: 'The character does not answer; the message is kept.' })
  async say(
    @Caller() caller: Actor,
    @Param('id') id: string,
    @Body() { content }: OldSayBody,
  ): Promise<OldCharacterAnswer> {
    const { room } = await this.enter(caller, id, 'own');
    const writer = await this.access.enter(caller, room.id, 'write', 'session');
    const { message, reply } = await this.answers.ask(writer, content);
    return {
      ...presentCharacterMessage(caller.userId, message),
      reply: presentCharacterMessage(caller.userId, reply),
    };
  }

  @Delete(':id/messages')
  @HttpCode(200)
  @ApiOperation({ deprecated: true, summary: 'Clear a session' })
  @ApiOkResponse({ type: OldCleared })
  async clear(@Caller() caller: Actor, @Param('id') id: string): Promise<OldCleared> {
    await this.messages.clear(await this.enter(caller, id, 'clear'));
    return { message: 'Messages cleared' };
  }

  /** Throws 404, also for somebody else's session and for one that is with no character. */
  private async enter(caller: Actor, given: string, action: 'own' | 'clear'): Promise<Moderator> {
    const id = await this.oldIds.session(caller, given, 'hidden');
    const pass = await this.access.enter(caller, id, action, 'session');
    const { type, agent } = await this.sessions.read(pass);
    if (type !== 'agent' || !agent) throw Problem.notFound('This session');
    return pass;
  }

  /** Takes a slug, or an id of now or before. Throws 404. */
  private async agentOf(characterId: string): Promise<string> {
    const agent = await this.finder.bySlug(characterId);
    if (agent) return agent.id;
    const id = await this.oldIds.find('agent', characterId);
    return (await this.agents.get(id)).id;
  }
}
