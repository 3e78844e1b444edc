import { Controller, Delete, Get, HttpCode, Param, Put, Query } from '@nestjs/common';
import {
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
import { MessageView } from '../message.presenter.js';
import { PinsService } from './pins.service.js';

@ApiTags('messages')
@ApiNotFoundResponse({ description: '`not_found`: no such message, or conversation, that you can see.' })
@SignedIn()
@Controller('api/v1/conversations/:id')
export class PinsController {
  constructor(
    private readonly access: AccessService,
    private readonly pins: PinsService,
  ) {}

  @Get('pins')
  @ApiOperation({ summary: 'The pinned messages, the one pinned last first' })
  @ApiPage(MessageView)
  async list(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Query() page: PageQuery,
  ): Promise<Page<MessageView>> {
    return this.pins.list(await this.access.enter(caller, id, 'read'), page);
  }

  @Put('messages/:messageId/pin')
  @ApiOperation({ summary: 'Pin a message; for moderators, the owner of a session and everybody in a direct' })
  @ApiOkResponse({ type: MessageView })
  @ApiForbiddenResponse({ description: '`forbidden`' })
  @ApiConflictResponse({ description: '`message_deleted`, or `too_many_pins`: 50 are pinned already.' })
  async pin(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Param('messageId', IdPipe) messageId: string,
  ): Promise<MessageView> {
    return this.pins.pin(await this.access.enter(caller, id, 'pin'), messageId);
  }

  @Delete('messages/:messageId/pin')
  @HttpCode(204)
  @ApiOperation({ summary: 'Take a pin off; for the same people' })
  @ApiNoContentResponse()
  @ApiForbiddenResponse({ description: '`forbidden`' })
  async unpin(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Param('messageId', IdPipe) messageId: string,
  ): Promise<void> {
    await this.pins.unpin(await this.access.enter(caller, id, 'pin'), messageId);
  }
}
