import { Controller, Get, Query } from '@nestjs/common';
import { ApiBadRequestResponse, ApiNotFoundResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, Caller } from '../../auth/actor.js';
import { SignedIn } from '../../auth/stated-access.js';
import { ApiPage } from '../../platform/http/api-page.js';
import type { Page } from '../../platform/http/paging.js';
import { SearchLimit } from './search-limit.js';
import { FoundMessage, SearchQuery } from './search.dto.js';
import { SearchService } from './search.service.js';

@ApiTags('search')
@SignedIn()
@Controller('api/v1/search')
export class SearchController {
  constructor(
    private readonly searching: SearchService,
    private readonly limit: SearchLimit,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Search all that you may read: whole words before parts of words, the newest first' })
  @ApiPage(FoundMessage)
  @ApiBadRequestResponse({ description: 'A query that looks for nothing, or for more than 20 things.' })
  @ApiNotFoundResponse({ description: '`in` names no conversation or server that you see.' })
  async search(@Caller() caller: Actor, @Query() query: SearchQuery): Promise<Page<FoundMessage>> {
    await this.limit.spend(caller.userId);
    return this.searching.search(caller, query);
  }
}
