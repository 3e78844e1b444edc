import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn } from '../auth/stated-access.js';
import { ApiPage } from '../platform/http/api-page.js';
import { IdPipe } from '../platform/http/id.pipe.js';
import { type Page, PageQuery } from '../platform/http/paging.js';
import { AgentView, presentAgent } from './agent.presenter.js';
import { AgentsService } from './agents.service.js';

@ApiTags('agents')
@SignedIn()
@Controller('api/v1/agents')
export class AgentsController {
  constructor(private readonly agents: AgentsService) {}

  @Get()
  @ApiOperation({ summary: 'The agents there are' })
  @ApiPage(AgentView)
  list(@Query() page: PageQuery): Promise<Page<AgentView>> {
    return this.agents.list(page);
  }

  @Get(':id')
  @ApiOperation({ summary: 'One agent' })
  @ApiOkResponse({ type: AgentView })
  async get(@Param('id', IdPipe) id: string): Promise<AgentView> {
    return presentAgent(await this.agents.get(id));
  }
}
