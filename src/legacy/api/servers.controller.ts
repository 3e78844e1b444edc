import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, type StreamableFile } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AccessService } from '../../access/access.service.js';
import { type Actor, Caller } from '../../auth/actor.js';
import { SignedIn } from '../../auth/stated-access.js';
import { HistoryService } from '../../messages/history.service.js';
import { MessagesService } from '../../messages/messages.service.js';
import { Problem } from '../../platform/http/problem.js';
import { ChannelsService } from '../../servers/channels/channels.service.js';
import { MembershipsService } from '../../servers/memberships/memberships.service.js';
import { ServersService } from '../../servers/servers/servers.service.js';
import { OldIds } from './old-ids.js';
import {
  OldChannel,
  OldChannelBody,
  OldChannelMessage,
  OldMember,
  OldMemberBody,
  OldOffsetQuery,
  OldRemoval,
  OldServer,
  OldServerBody,
  OldTextBody,
  presentOldChannel,
  presentOldChannelMessage,
  presentOldMember,
  presentOldServer,
} from './servers.dto.js';
import { everyPage, jsonArray } from './whole-lists.js';

const MOST = 100;

/** Servers, channels and members as the old community server had them; its socket is servers.dialect.ts. */
@ApiTags('legacy: servers')
@SignedIn()
@Controller('chat/servers')
export class OldServersController {
  constructor(
    private readonly access: AccessService,
    private readonly servers: ServersService,
    private readonly channels: ChannelsService,
    private readonly members: MembershipsService,
    private readonly messages: MessagesService,
    private readonly history: HistoryService,
    private readonly oldIds: OldIds,
  ) {}

  @Get()
  @ApiOperation({ deprecated: true, summary: 'Your servers' })
  @ApiOkResponse({ type: [OldServer] })
  list(@Caller() caller: Actor): Promise<StreamableFile> {
    const pages = everyPage((page) => this.servers.list(caller, page));
    return jsonArray(pages, presentOldServer);
  }

  @Post()
  @ApiOperation({ deprecated: true, summary: 'Create a server; you become its ADMIN' })
  @ApiCreatedResponse({ type: OldServer })
  async create(@Caller() caller: Actor, @Body() { name, icon }: OldServerBody): Promise<OldServer> {
    return presentOldServer(await this.servers.create(caller, name, icon));
  }

  @Delete(':id')
  @HttpCode(200)
  @ApiOperation({ deprecated: true, summary: 'Delete a server; for ADMIN' })
  @ApiOkResponse({ type: OldRemoval })
  async delete(@Caller() caller: Actor, @Param('id') id: string): Promise<OldRemoval> {
    await this.servers.delete(caller, await this.oldIds.find('server', id));
    return { ok: true };
  }

  @Get(':id/channels')
  @ApiOperation({ deprecated: true, summary: 'The channels of a server in their order' })
  @ApiOkResponse({ type: [OldChannel] })
  async listChannels(@Caller() caller: Actor, @Param('id') id: string): Promise<OldChannel[]> {
    const pass = await this.access.enterServer(caller, await this.oldIds.find('server', id), 'see');
    return (await this.channels.of(pass.serverId)).map(presentOldChannel);
  }

  @Post(':id/channels')
  @ApiOperation({ deprecated: true, summary: 'Add a channel; for ADMIN' })
  @ApiCreatedResponse({ type: OldChannel })
  async createChannel(
    @Caller() caller: Actor,
    @Param('id') id: string,
    @Body() { name, type, position }: OldChannelBody,
  ): Promise<OldChannel> {
    const draft = { name, type, ...(position !== undefined && { position }) };
    return presentOldChannel(await this.channels.create(caller, await this.oldIds.find('server', id), draft));
  }

  @Get(':id/channels/:channelId/messages')
  @ApiOperation({ deprecated: true, summary: 'The newest messages after skipping `offset`, in order of time' })
  @ApiOkResponse({ type: [OldChannelMessage] })
  async listMessages(
    @Caller() caller: Actor,
    @Param('id') id: string,
    @Param('channelId') channelId: string,
    @Query() { limit, offset }: OldOffsetQuery,
  ): Promise<OldChannelMessage[]> {
    const { serverId, channel } = await this.roomOf(id, channelId);
    const reader = await this.access.enter(caller, channel, 'read', 'channel');
    if (reader.room.serverId !== serverId) throw Problem.notFound('This channel');
    const items = await this.history.pageSkipping(reader, offset, Math.min(limit, MOST));
    return items.map((message) => presentOldChannelMessage(serverId, message));
  }

  @Post(':id/channels/:channelId/messages')
  @ApiOperation({ deprecated: true, summary: 'Send a message' })
  @ApiCreatedResponse({ type: OldChannelMessage })
  async send(
    @Caller() caller: Actor,
    @Param('id') id: string,
    @Param('channelId') channelId: string,
    @Body() { text }: OldTextBody,
  ): Promise<OldChannelMessage> {
    const { serverId, channel } = await this.roomOf(id, channelId);
    const writer = await this.access.enter(caller, channel, 'write', 'channel');
    if (writer.room.serverId !== serverId) throw Problem.notFound('This channel');
    const { message } = await this.messages.append(writer, { content: text });
    return presentOldChannelMessage(serverId, message);
  }

  @Post(':id/members')
  @ApiOperation({ deprecated: true, summary: 'Add somebody; for ADMIN and MODERATOR' })
  @ApiCreatedResponse({ type: OldMember })
  async addMember(
    @Caller() caller: Actor,
    @Param('id') id: string,
    @Body() { user_id, role }: OldMemberBody,
  ): Promise<OldMember> {
    const serverId = await this.oldIds.find('server', id);
    const userId = await this.oldIds.find('user', user_id);
    return presentOldMember(serverId, await this.members.add(caller, serverId, userId, role));
  }

  @Delete(':id/members/:userId')
  @HttpCode(200)
  @ApiOperation({ deprecated: true, summary: 'Remove somebody, or leave' })
  @ApiOkResponse({ type: OldRemoval })
  async removeMember(
    @Caller() caller: Actor,
    @Param('id') id: string,
    @Param('userId') userId: string,
  ): Promise<OldRemoval> {
    const serverId = await this.oldIds.find('server', id);
    await this.members.remove(caller, serverId, await this.oldIds.find('user', userId));
    return { ok: true };
  }

  private async roomOf(id: string, channelId: string): Promise<{ serverId: string; channel: string }> {
    const serverId = await this.oldIds.find('server', id);
    return { serverId, channel: await this.oldIds.find('conversation', channelId) };
  }
}
