import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Administrator } from '../../auth/stated-access.js';
import { ApiPage } from '../../platform/http/api-page.js';
import type { Page } from '../../platform/http/paging.js';
import { ConnectionsQuery, ConnectionView, Statistics } from './statistics.dto.js';
import { StatisticsService } from './statistics.service.js';

@ApiTags('administration')
@Administrator()
@Controller('api/v1/admin')
export class StatisticsController {
  constructor(private readonly statistics: StatisticsService) {}

  @Get('stats')
  @ApiOperation({ summary: 'How much there is, and how many are here' })
  @ApiOkResponse({ type: Statistics })
  read(): Promise<Statistics> {
    return this.statistics.read();
  }

  @Get('connections')
  @ApiOperation({ summary: 'The open sockets of the node that answers, oldest first' })
  @ApiPage(ConnectionView)
  connections(@Query() query: ConnectionsQuery): Page<ConnectionView> {
    return this.statistics.connections(query);
  }
}
