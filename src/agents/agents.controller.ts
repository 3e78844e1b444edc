import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiExtraModels,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { type Actor, Caller } from '../auth/actor.js';
import { Administrator, SignedIn } from '../auth/stated-access.js';
import { ApiPage } from '../platform/http/api-page.js';
import { IdPipe } from '../platform/http/id.pipe.js';
import { type Page, PageQuery } from '../platform/http/paging.js';
import { AdministeredAgent, AgentView, presentAdministered, presentAgent } from './agent.presenter.js';
import { AgentBody, AgentPatch } from './agents.dto.js';
import { AgentsService } from './agents.service.js';

const presenterFor = ({ isAdmin }: Actor) => (isAdmin ? presentAdministered : presentAgent);

@ApiTags('agents')
@ApiExtraModels(AdministeredAgent)
@Controller('api/v1/agents')
export class AgentsController {
  constructor(private readonly agents: AgentsService) {}

  @Get()
  @SignedIn()
  @ApiOperation({ summary: 'The agents there are, by slug; administrators also see what stands behind them' })
  @ApiPage(AgentView)
  list(@Caller() caller: Actor, @Query() page: PageQuery): Promise<Page<AgentView>> {
    return this.agents.list(page, presenterFor(caller));
  }

  @Get(':id')
  @SignedIn()
  @ApiOperation({ summary: 'One agent' })
  @ApiOkResponse({ schema: { anyOf: [AgentView, AdministeredAgent].map((view) => ({ $ref: getSchemaPath(view) })) } })
  @ApiNotFoundResponse({ description: 'There is none, or it was deleted.' })
  async get(@Caller() caller: Actor, @Param('id', IdPipe) id: string): Promise<AgentView> {
    return presenterFor(caller)(await this.agents.get(id));
  }

  @Post()
  @Administrator()
  @ApiOperation({ summary: 'Make an agent' })
  @ApiCreatedResponse({ type: AdministeredAgent })
  @ApiBadRequestResponse({ description: 'A field is wrong, or `url` names a private address.' })
  @ApiConflictResponse({ description: 'The slug is taken.' })
  create(@Body() body: AgentBody): Promise<AdministeredAgent> {
    return this.agents.create(body);
  }

  @Patch(':id')
  @Administrator()
  @ApiOperation({ summary: 'Change an agent; null takes a thing away. With an url of another origin its key goes' })
  @ApiOkResponse({ type: AdministeredAgent })
  @ApiBadRequestResponse({ description: 'A field is wrong, or `url` names a private address.' })
  @ApiNotFoundResponse({ description: 'There is none, or it was deleted.' })
  @ApiConflictResponse({ description: 'The slug is taken.' })
  change(@Param('id', IdPipe) id: string, @Body() body: AgentPatch): Promise<AdministeredAgent> {
    return this.agents.change(id, body);
  }

  @Delete(':id')
  @Administrator()
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete an agent; sessions with it and what it said stay, under its name' })
  @ApiNoContentResponse()
  @ApiNotFoundResponse({ description: 'There is none, or it was deleted.' })
  delete(@Param('id', IdPipe) id: string): Promise<void> {
    return this.agents.delete(id);
  }
}
