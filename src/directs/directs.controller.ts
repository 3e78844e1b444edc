import { Body, Controller, Get, Post, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { type Actor, Caller } from '../auth/actor.js';
import { SignedIn } from '../auth/stated-access.js';
import { ApiPage } from '../platform/http/api-page.js';
import { type Page, PageQuery } from '../platform/http/paging.js';
import { DirectBody, DirectView } from './directs.dto.js';
import { DirectsService } from './directs.service.js';

@ApiTags('directs')
@SignedIn()
@Controller('api/v1/directs')
export class DirectsController {
  constructor(private readonly directs: DirectsService) {}

  @Get()
  @ApiOperation({ summary: 'Your direct conversations with who is in them, the newest first' })
  @ApiPage(DirectView)
  list(@Caller() caller: Actor, @Query() page: PageQuery): Promise<Page<DirectView>> {
    return this.directs.list(caller, page);
  }

  @Post()
  @ApiOperation({
    summary: 'The conversation with these people',
    description: 'The same for the same set of people, however often and from whichever side it is asked for.',
  })
  @ApiCreatedResponse({ type: DirectView })
  @ApiOkResponse({ type: DirectView, description: 'There was one already.' })
  async open(
    @Caller() caller: Actor,
    @Body() { userIds }: DirectBody,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DirectView> {
    const { direct, created } = await this.directs.open(caller, userIds);
    response.status(created ? 201 : 200);
    return direct;
  }
}
