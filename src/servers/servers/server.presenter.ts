import { ApiProperty } from '@nestjs/swagger';
import { CategoryView } from '../channels/category.presenter.js';
import { ChannelView } from '../channels/channel.presenter.js';
import type { Role } from '../memberships/membership.entity.js';
import type { Server } from './server.entity.js';

export class ServerView {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty({ example: 'The Analytical Society' }) name: string;
  @ApiProperty({ type: String, nullable: true }) iconUrl: string | null;
  @ApiProperty({ format: 'date-time' }) createdAt: string;
}

export class MyServerView extends ServerView {
  @ApiProperty({ enum: ['ADMIN', 'MODERATOR', 'MEMBER'], description: "The caller's." }) role: Role;
}

export class WholeServerView extends MyServerView {
  @ApiProperty({ type: [CategoryView] }) categories: CategoryView[];
  @ApiProperty({ type: [ChannelView] }) channels: ChannelView[];
}

export function presentServer(server: Pick<Server, 'id' | 'name' | 'iconUrl' | 'createdAt'>): ServerView {
  const { id, name, iconUrl, createdAt } = server;
  return { id, name, iconUrl, createdAt: createdAt.toISOString() };
}
