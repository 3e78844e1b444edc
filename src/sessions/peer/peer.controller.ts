import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiConflictResponse,
  ApiForbiddenResponse,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { AccessService } from '../../access/access.service.js';
import { type Actor, Caller } from '../../auth/actor.js';
import { SignedIn } from '../../auth/stated-access.js';
import { ApiPage } from '../../platform/http/api-page.js';
import { IdPipe } from '../../platform/http/id.pipe.js';
import { type Page, PageQuery } from '../../platform/http/paging.js';
import { SessionView } from '../session.presenter.js';
import { SessionsService } from '../sessions.service.js';
import { HandoffBody, TransferBody } from './peer.dto.js';
import { PeerService } from './peer.service.js';
import { QueuedSession } from './queue.presenter.js';
import { QueueService } from './queue.service.js';

@ApiTags('peer support')
@SignedIn()
@Controller('api/v1/sessions')
export class PeerController {
  constructor(
    private readonly access: AccessService,
    private readonly sessions: SessionsService,
    private readonly peer: PeerService,
    private readonly queue: QueueService,
  ) {}

  @Get('queue')
  @ApiOperation({ summary: 'Who waits for an advocate, longest waiting first; for advocates' })
  @ApiPage(QueuedSession)
  @ApiForbiddenResponse({ description: 'The caller is no advocate.' })
  waiting(@Caller() caller: Actor, @Query() page: PageQuery): Promise<Page<QueuedSession>> {
    return this.queue.list(caller, page);
  }

  @Post(':id/claim')
  @HttpCode(200)
  @ApiOperation({ summary: 'Take a waiting session; for advocates' })
  @ApiOkResponse({ type: SessionView })
  @ApiNotFoundResponse({ description: 'It is no open peer session, or the caller is no advocate.' })
  @ApiForbiddenResponse({ description: 'It is the caller who waits.' })
  @ApiConflictResponse({ description: '`already_claimed`: another advocate was first.' })
  async claim(@Caller() caller: Actor, @Param('id', IdPipe) id: string): Promise<SessionView> {
    await this.peer.claim(caller, id);
    return this.read(caller, id);
  }

  @Post(':id/release')
  @HttpCode(204)
  @ApiOperation({ summary: 'Put a session back into the queue; for its advocate, who sees no more of it' })
  @ApiNoContentResponse()
  @ApiForbiddenResponse({ description: 'The caller is its owner.' })
  async release(@Caller() caller: Actor, @Param('id', IdPipe) id: string): Promise<void> {
    await this.peer.release(await this.access.enter(caller, id, 'help', 'session'));
  }

  @Post(':id/transfer')
  @HttpCode(204)
  @ApiOperation({ summary: 'Give a session to another advocate; for its advocate, who sees no more of it' })
  @ApiNoContentResponse()
  @ApiBadRequestResponse({ description: '`advocateId` names no advocate.' })
  @ApiForbiddenResponse({ description: 'The caller is its owner.' })
  async transfer(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Body() { advocateId }: TransferBody,
  ): Promise<void> {
    await this.peer.transfer(await this.access.enter(caller, id, 'help', 'session'), advocateId);
  }

  @Post(':id/handoff')
  @HttpCode(200)
  @ApiOperation({ summary: 'Give a session with an agent to a person; for its owner' })
  @ApiOkResponse({ type: SessionView })
  @ApiBadRequestResponse({ description: '`advocateId` names no advocate.' })
  @ApiConflictResponse({ description: '`not_an_agent_session` or `session_closed`.' })
  async handOff(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Body() { advocateId }: HandoffBody,
  ): Promise<SessionView> {
    await this.peer.handOff(await this.access.enter(caller, id, 'own', 'session'), advocateId);
    return this.read(caller, id);
  }

  private async read(caller: Actor, id: string): Promise<SessionView> {
    return this.sessions.read(await this.access.enter(caller, id, 'read', 'session'));
  }
}
