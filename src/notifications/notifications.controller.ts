import { Body, Controller, Delete, Get, HttpCode, Param, Put } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AccessService } from '../access/access.service.js';
import { type Actor, Caller } from '../auth/actor.js';
import { SignedIn } from '../auth/stated-access.js';
import { NotificationsView } from '../conversations/notification-settings.js';
import { IdPipe } from '../platform/http/id.pipe.js';
import { NotificationsBody } from './notifications.dto.js';
import { NotificationsService } from './notifications.service.js';

@ApiTags('notifications')
@SignedIn()
@Controller('api/v1')
export class NotificationsController {
  constructor(
    private readonly access: AccessService,
    private readonly notifications: NotificationsService,
  ) {}

  @Get('conversations/:id/notifications')
  @ApiOperation({ summary: 'What of a conversation you are notified of' })
  @ApiOkResponse({ type: NotificationsView })
  async ofConversation(@Caller() caller: Actor, @Param('id', IdPipe) id: string): Promise<NotificationsView> {
    return this.notifications.ofConversation(await this.access.enter(caller, id, 'read'));
  }

  @Put('conversations/:id/notifications')
  @ApiOperation({ summary: 'Choose what of a conversation you are notified of' })
  @ApiOkResponse({ type: NotificationsView })
  async setForConversation(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Body() body: NotificationsBody,
  ): Promise<NotificationsView> {
    return this.notifications.setForConversation(await this.access.enter(caller, id, 'read'), body);
  }

  @Delete('conversations/:id/notifications')
  @HttpCode(204)
  @ApiOperation({ summary: 'Be notified again as in the server, or as in the conversation of a thread' })
  @ApiNoContentResponse()
  async resetForConversation(@Caller() caller: Actor, @Param('id', IdPipe) id: string): Promise<void> {
    await this.notifications.resetForConversation(await this.access.enter(caller, id, 'read'));
  }

  @Get('servers/:id/notifications')
  @ApiOperation({ summary: 'What of a server you are notified of' })
  @ApiOkResponse({ type: NotificationsView })
  async ofServer(@Caller() caller: Actor, @Param('id', IdPipe) id: string): Promise<NotificationsView> {
    return this.notifications.ofServer(await this.access.enterServer(caller, id, 'see'));
  }

  @Put('servers/:id/notifications')
  @ApiOperation({ summary: 'Choose what of a server you are notified of' })
  @ApiOkResponse({ type: NotificationsView })
  async setForServer(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Body() body: NotificationsBody,
  ): Promise<NotificationsView> {
    return this.notifications.setForServer(await this.access.enterServer(caller, id, 'see'), body);
  }
}
