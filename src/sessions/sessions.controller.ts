import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Put, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { AccessService } from '../access/access.service.js';
import { type Actor, Caller } from '../auth/actor.js';
import { SignedIn } from '../auth/stated-access.js';
import { ApiPage } from '../platform/http/api-page.js';
import { IdPipe } from '../platform/http/id.pipe.js';
import type { Page } from '../platform/http/paging.js';
import { SessionList } from './session-list.js';
import { SessionView } from './session.presenter.js';
import { SessionBody, SessionPatch, SessionsQuery } from './sessions.dto.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('sessions')
@SignedIn()
@Controller('api/v1/sessions')
export class SessionsController {
  constructor(
    private readonly access: AccessService,
    private readonly sessions: SessionsService,
    private readonly listed: SessionList,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Your sessions, and those you are the advocate of, latest activity first' })
  @ApiPage(SessionView)
  list(@Caller() caller: Actor, @Query() query: SessionsQuery): Promise<Page<SessionView>> {
    return this.listed.of(caller, query);
  }

  @Post()
  @ApiOperation({ summary: 'Open a session with an agent or a person' })
  @ApiCreatedResponse({ type: SessionView })
  @ApiOkResponse({ type: SessionView, description: 'The session you opened before under this externalId.' })
  async create(
    @Caller() caller: Actor,
    @Body() body: SessionBody,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SessionView> {
    const { session, created } = await this.sessions.create(caller, body);
    response.status(created ? 201 : 200);
    return session;
  }

  @Put('by-agent/:agentId')
  @ApiOperation({ summary: 'Your one standing session with an agent, made on the first call' })
  @ApiOkResponse({ type: SessionView })
  async standing(@Caller() caller: Actor, @Param('agentId', IdPipe) agentId: string): Promise<SessionView> {
    return (await this.sessions.standing(caller, agentId)).session;
  }

  @Get(':id')
  @ApiOperation({ summary: 'One session' })
  @ApiOkResponse({ type: SessionView })
  async get(@Caller() caller: Actor, @Param('id', IdPipe) id: string): Promise<SessionView> {
    return this.sessions.read(await this.access.enter(caller, id, 'read', 'session'));
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Rename, close or open again; its advocate may close it and open it again too' })
  @ApiOkResponse({ type: SessionView })
  async change(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Body() body: SessionPatch,
  ): Promise<SessionView> {
    const pass = await this.access.enter(caller, id, body.title === undefined ? 'close' : 'own', 'session');
    return this.sessions.change(pass, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a session with all that was said' })
  @ApiNoContentResponse()
  async delete(@Caller() caller: Actor, @Param('id', IdPipe) id: string): Promise<void> {
    await this.sessions.delete(await this.access.enter(caller, id, 'own', 'session'));
  }
}
