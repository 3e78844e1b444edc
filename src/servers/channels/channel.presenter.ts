import { ApiProperty } from '@nestjs/swagger';
import type { Channel, ChannelType } from './channel.entity.js';

export class ChannelView {
  @ApiProperty({ format: 'uuid', description: 'Also the id of its conversation.' }) id: string;
  @ApiProperty({ format: 'uuid' }) serverId: string;
  @ApiProperty({ type: String, nullable: true, format: 'uuid' }) categoryId: string | null;
  @ApiProperty({ example: 'general' }) name: string;
  @ApiProperty({ enum: ['TEXT', 'VOICE'] }) type: ChannelType;
  @ApiProperty({ example: 0 }) position: number;
  @ApiProperty({ type: String, nullable: true }) topic: string | null;
  @ApiProperty({ format: 'date-time' }) createdAt: string;
}

export function presentChannel(channel: Channel): ChannelView {
  const { id, serverId, categoryId, name, type, position, topic, createdAt } = channel;
  return { id, serverId, categoryId, name, type, position, topic, createdAt: createdAt.toISOString() };
}
