import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, Caller } from '../../auth/actor.js';
import { Administrator, SignedIn } from '../../auth/stated-access.js';
import { ApiPage } from '../../platform/http/api-page.js';
import { IdPipe } from '../../platform/http/id.pipe.js';
import { type Page, PageQuery } from '../../platform/http/paging.js';
import { AgentsService } from '../agents.service.js';
import { AgentUsageView, UsageQuery, UsageView } from './usage.dto.js';
import { UsageService } from './usage.service.js';

@ApiTags('agents')
@Controller('api/v1')
export class UsageController {
  constructor(
    private readonly usage: UsageService,
    private readonly agents: AgentsService,
  ) {}

  @Get('users/me/usage')
  @SignedIn()
  @ApiOperation({ summary: 'What answers to you have cost, by month and agent, the newest month first' })
  @ApiPage(UsageView)
  mine(@Caller() { userId }: Actor, @Query() query: UsageQuery): Promise<Page<UsageView>> {
    return this.usage.ofPerson(userId, query);
  }

  @Get('agents/:id/usage')
  @Administrator()
  @ApiOperation({ summary: "What an agent's answers have cost in all, by month, the newest first" })
  @ApiPage(AgentUsageView)
  async ofAgent(@Param('id', IdPipe) id: string, @Query() page: PageQuery): Promise<Page<AgentUsageView>> {
    await this.agents.get(id);
    return this.usage.ofAgent(id, page);
  }
}
