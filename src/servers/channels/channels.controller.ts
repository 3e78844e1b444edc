import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
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
import { ChannelView } from './channel.presenter.js';
import { ChannelBody, ChannelPatch } from './channels.dto.js';
import { ChannelsService } from './channels.service.js';

@ApiTags('channels')
@SignedIn()
@Controller('api/v1')
export class ChannelsController {
  constructor(
    private readonly access: AccessService,
    private readonly channels: ChannelsService,
  ) {}

  @Get('servers/:id/channels')
  @ApiOperation({ summary: 'The channels of a server in their order' })
  @ApiPage(ChannelView)
  async list(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Query() page: PageQuery,
  ): Promise<Page<ChannelView>> {
    const pass = await this.access.enterServer(caller, id, 'see');
    return this.channels.page(pass.serverId, page);
  }

  @Post('servers/:id/channels')
  @ApiOperation({ summary: 'Add a channel; for ADMIN' })
  @ApiCreatedResponse({ type: ChannelView })
  @ApiConflictResponse({ description: '`name_taken`' })
  create(@Caller() caller: Actor, @Param('id', IdPipe) id: string, @Body() body: ChannelBody): Promise<ChannelView> {
    return this.channels.create(caller, id, body);
  }

  @Patch('channels/:id')
  @ApiOperation({ summary: 'Rename, move or describe a channel; for ADMIN' })
  @ApiOkResponse({ type: ChannelView })
  @ApiConflictResponse({ description: '`name_taken`' })
  async change(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Body() body: ChannelPatch,
  ): Promise<ChannelView> {
    return this.channels.change(await this.access.enter(caller, id, 'own', 'channel'), body);
  }

  @Delete('channels/:id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a channel with all that was said; for ADMIN' })
  @ApiNoContentResponse()
  async delete(@Caller() caller: Actor, @Param('id', IdPipe) id: string): Promise<void> {
    await this.channels.delete(await this.access.enter(caller, id, 'own', 'channel'));
  }
}
