import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiForbiddenResponse,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { AccessService } from '../../access/access.service.js';
import { type Actor, Caller } from '../../auth/actor.js';
import { SignedIn } from '../../auth/stated-access.js';
import { ApiPage } from '../../platform/http/api-page.js';
import { IdPipe } from '../../platform/http/id.pipe.js';
import { type Page, PageQuery } from '../../platform/http/paging.js';
import { WholeServerView } from '../servers/server.presenter.js';
import { InviteBody, InvitePreview, InviteView } from './invites.dto.js';
import { InvitesService } from './invites.service.js';

@ApiTags('invites')
@SignedIn()
@Controller('api/v1')
export class InvitesController {
  constructor(
    private readonly access: AccessService,
    private readonly invites: InvitesService,
  ) {}

  @Get('servers/:id/invites')
  @ApiOperation({ summary: 'The invites of a server, newest first; for ADMIN and MODERATOR' })
  @ApiPage(InviteView)
  async list(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Query() page: PageQuery,
  ): Promise<Page<InviteView>> {
    return this.invites.list(await this.access.enterServer(caller, id, 'invite'), page);
  }

  @Post('servers/:id/invites')
  @ApiOperation({ summary: 'Make an invite; for ADMIN and MODERATOR' })
  @ApiCreatedResponse({ type: InviteView })
  create(@Caller() caller: Actor, @Param('id', IdPipe) id: string, @Body() body: InviteBody): Promise<InviteView> {
    return this.invites.create(caller, id, body);
  }

  @Delete('servers/:id/invites/:code')
  @HttpCode(204)
  @ApiOperation({ summary: 'Make an invite worthless; for ADMIN and MODERATOR' })
  @ApiNoContentResponse()
  async delete(@Caller() caller: Actor, @Param('id', IdPipe) id: string, @Param('code') code: string): Promise<void> {
    await this.invites.delete(caller, id, code);
  }

  @Get('invites/:code')
  @ApiOperation({ summary: 'Where an invite leads' })
  @ApiOkResponse({ type: InvitePreview })
  @ApiNotFoundResponse({ description: 'Unknown, used up, expired or taken back.' })
  preview(@Caller() caller: Actor, @Param('code') code: string): Promise<InvitePreview> {
    return this.invites.preview(caller, code);
  }

  @Post('invites/:code')
  @ApiOperation({ summary: 'Come in', description: 'Somebody who is a member already stays one, and uses nothing up.' })
  @ApiCreatedResponse({ type: WholeServerView })
  @ApiOkResponse({ type: WholeServerView, description: 'You were a member already.' })
  @ApiForbiddenResponse({ description: '`banned`' })
  @ApiNotFoundResponse({ description: 'Unknown, used up, expired or taken back.' })
  async accept(
    @Caller() caller: Actor,
    @Param('code') code: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<WholeServerView> {
    const { server, joined } = await this.invites.accept(caller, code);
    response.status(joined ? 201 : 200);
    return server;
  }
}
