import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { IsIn, IsInt, IsString, IsUrl, Length, Max, MaxLength, Min } from 'class-validator';
import type { MessageView } from '../../messages/message.presenter.js';
import { IsContent } from '../../messages/messages.dto.js';
import { Optional } from '../../platform/http/optional.js';
import { Trimmed } from '../../platform/http/trimmed.js';
import { LeavesOutUnknown } from '../../platform/http/validation.js';
import type { ChannelView } from '../../servers/channels/channel.presenter.js';
import type { ChannelType } from '../../servers/channels/channel.entity.js';
import type { MemberView } from '../../servers/memberships/member.presenter.js';
import type { Role } from '../../servers/memberships/membership.entity.js';
import type { MyServerView } from '../../servers/servers/server.presenter.js';
import { clockTime } from './clock-time.js';
import { OtherNames } from './other-names.js';

const upperCase = Transform(({ value }: { value: unknown }) =>
  typeof value === 'string' ? value.toUpperCase() : value,
);
/** Icons were anything from a letter to a path. What is no address is left out. */
const addressOnly = Transform(({ value }: { value: unknown }) =>
  typeof value === 'string' && /^https?:\/\//.test(value) ? value : undefined,
);

@LeavesOutUnknown()
export class OldServerBody {
  @ApiProperty({ example: 'The Analytical Society' })
  @Trimmed()
  @IsString()
  @Length(1, 100)
  name: string;

  @ApiPropertyOptional({ description: 'An http address; anything else is left out.' })
  @addressOnly
  @Optional()
  @IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false })
  @MaxLength(2048)
  icon?: string;
}

@LeavesOutUnknown()
export class OldChannelBody {
  @ApiProperty({ example: 'engines' })
  @Trimmed()
  @IsString()
  @Length(1, 100)
  name: string;

  @ApiPropertyOptional({ enum: ['TEXT', 'VOICE'], default: 'TEXT' })
  @upperCase
  @Optional()
  @IsIn(['TEXT', 'VOICE'])
  type: ChannelType = 'TEXT';

  @ApiPropertyOptional({ minimum: 0 })
  @Optional()
  @IsInt()
  @Min(0)
  @Max(1_000_000)
  position?: number;
}

@LeavesOutUnknown()
export class OldMemberBody {
  @ApiProperty({ description: 'Or `userId`.' })
  @IsString()
  @Length(1, 200)
  @OtherNames('userId')
  user_id: string;

  @ApiPropertyOptional({ enum: ['ADMIN', 'MODERATOR', 'MEMBER'], default: 'MEMBER' })
  @upperCase
  @Optional()
  @IsIn(['ADMIN', 'MODERATOR', 'MEMBER'])
  role: Role = 'MEMBER';
}

@LeavesOutUnknown()
export class OldTextBody {
  @ApiProperty({ example: 'Hello!', description: 'Or `content`.' })
  @IsContent()
  @OtherNames('content')
  text: string;
}

@LeavesOutUnknown()
export class OldOffsetQuery {
  @ApiPropertyOptional({ minimum: 1, default: 50, description: 'At most 100 are given.' })
  @Optional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  limit: number = 50;

  @ApiPropertyOptional({ minimum: 0, default: 0, description: 'How many of the newest are skipped.' })
  @Optional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  offset: number = 0;
}

export class OldServer {
  @ApiProperty() id: string;
  @ApiProperty() name: string;
  @ApiProperty({ type: String, nullable: true }) icon: string | null;
  @ApiProperty({ enum: ['ADMIN', 'MODERATOR', 'MEMBER'], description: 'Your own.' }) role: Role;
  @ApiProperty({ format: 'date-time' }) created_at: string;
}

export class OldChannel {
  @ApiProperty() id: string;
  @ApiProperty() server_id: string;
  @ApiProperty() name: string;
  @ApiProperty({ enum: ['TEXT', 'VOICE'] }) type: ChannelType;
  @ApiProperty() position: number;
  @ApiProperty({ format: 'date-time' }) created_at: string;
}

/** As the old table had it and as the old socket says it, in one. */
export class OldChannelMessage {
  @ApiProperty() id: string;
  @ApiProperty() serverId: string;
  @ApiProperty() channelId: string;
  @ApiProperty({ example: 'ada' }) user: string;
  @ApiProperty({ description: 'Empty once deleted.' }) text: string;
  @ApiProperty({ example: '12:30 PM', description: 'In UTC.' }) timestamp: string;
  @ApiProperty() server_id: string;
  @ApiProperty() channel_id: string;
  @ApiProperty({ type: String, nullable: true }) user_id: string | null;
  @ApiProperty() content: string;
  @ApiProperty({ format: 'date-time' }) created_at: string;
}

export class OldMember {
  @ApiProperty() server_id: string;
  @ApiProperty() user_id: string;
  @ApiProperty() username: string;
  @ApiProperty({ enum: ['ADMIN', 'MODERATOR', 'MEMBER'] }) role: Role;
  @ApiProperty({ format: 'date-time' }) joined_at: string;
}

export class OldRemoval {
  @ApiProperty({ example: true }) ok: boolean;
}

export function presentOldServer({ id, name, iconUrl, role, createdAt }: MyServerView): OldServer {
  return { id, name, icon: iconUrl, role, created_at: createdAt };
}

export function presentOldChannel({ id, serverId, name, type, position, createdAt }: ChannelView): OldChannel {
  return { id, server_id: serverId, name, type, position, created_at: createdAt };
}

export function presentOldMember(serverId: string, { user, role, joinedAt }: MemberView): OldMember {
  return { server_id: serverId, user_id: user.id, username: user.username, role, joined_at: joinedAt };
}

export function presentOldChannelMessage(serverId: string, message: MessageView): OldChannelMessage {
  const { id, conversationId, author, createdAt } = message;
  const text = message.content ?? '';
  return {
    id,
    serverId,
    channelId: conversationId,
    user: author && 'username' in author ? author.username : 'system',
    text,
    timestamp: clockTime(createdAt),
    server_id: serverId,
    channel_id: conversationId,
    user_id: author?.id ?? null,
    content: text,
    created_at: createdAt,
  };
}
