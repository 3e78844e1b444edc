import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsId } from '../../platform/http/is-id.js';
import { Optional } from '../../platform/http/optional.js';
import { PageQuery } from '../../platform/http/paging.js';
import type { Connection } from '../../realtime/connection.js';
import { Profile } from '../../users/profile.presenter.js';

export class ChannelStatistics {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty({ format: 'uuid' }) serverId: string;
  @ApiProperty({ example: 'general' }) name: string;
  @ApiProperty({ example: 1204 }) messages: number;
}

export class Statistics {
  @ApiProperty({ example: 318 }) users: number;
  @ApiProperty({ example: 92 }) conversations: number;
  @ApiProperty({ description: 'Ever sent and not cleared away; deleted ones keep their place.', example: 40_113 })
  messages: number;
  @ApiProperty({ type: [ChannelStatistics], description: 'The hundred largest of the ten thousand newest channels.' })
  messagesPerChannel: ChannelStatistics[];
  @ApiProperty({ description: 'Whose login was used in the last 24 hours.', example: 57 }) activeUsers: number;
  @ApiProperty({ description: 'Open sockets of the node that answers.', example: 41 }) connections: number;
  @ApiProperty({
    description: 'True where there is too much to count: what is beyond ten thousand is an estimate then.',
    example: false,
  })
  isEstimate: boolean;
}

export class ConnectionsQuery extends PageQuery {
  @ApiPropertyOptional({ format: 'uuid', description: 'Only those of this account.' })
  @Optional()
  @IsId()
  userId?: string;
}

/** A socket as administrators see it. */
export class ConnectionView {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty() user: Profile;
  @ApiProperty({ format: 'date-time' }) openedAt: string;
  @ApiProperty({ description: 'How many topics (servers, and the person) it listens to.', example: 3 }) topics: number;
  @ApiProperty({ description: 'What was written to it and has not left yet.', example: 0 }) unreadBytes: number;
}

export function presentConnection({ id, actor, topics, unreadBytes }: Connection): ConnectionView {
  return { id, user: actor.profile, openedAt: timeOf(id).toISOString(), topics: topics.size, unreadBytes };
}

/** A UUIDv7 begins with the time it was made, in milliseconds (RFC 9562, section 5.7). */
function timeOf(id: string): Date {
  return new Date(parseInt(id.replace('-', '').slice(0, 12), 16));
}
