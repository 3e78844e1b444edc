import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsString, Length } from 'class-validator';
import type { MessageView } from '../../messages/message.presenter.js';
import { IsContent } from '../../messages/messages.dto.js';
import { Optional } from '../../platform/http/optional.js';
import { LeavesOutUnknown } from '../../platform/http/validation.js';
import type { SessionView } from '../../sessions/session.presenter.js';

@LeavesOutUnknown()
export class OldTitleBody {
  @ApiProperty({ example: 'My chat', minLength: 1, maxLength: 255 })
  @IsString()
  @Length(1, 255)
  title: string;
}

@LeavesOutUnknown()
export class OldContentBody {
  @ApiProperty({ example: 'Hello, how are you?' })
  @IsContent()
  content: string;
}

export class OldSideBody extends OldContentBody {
  @ApiPropertyOptional({ default: true, description: 'False stores what the AI said.' })
  @Optional()
  @IsBoolean()
  is_user_message: boolean = true;
}

export class OldChatSession {
  @ApiProperty() id: string;
  @ApiProperty() title: string;
  @ApiProperty() owner_id: string;
  @ApiProperty({ format: 'date-time' }) created_at: string;
  @ApiProperty({ format: 'date-time' }) updated_at: string;
}

export class OldChatMessage {
  @ApiProperty() id: string;
  @ApiProperty() content: string;
  @ApiProperty() is_user_message: boolean;
  @ApiProperty() session_id: string;
  @ApiProperty({ format: 'date-time' }) created_at: string;
}

export class OldDone {
  @ApiProperty({ example: 'Deleted' }) message: string;
}

export function presentOldSession({ id, title, owner, createdAt, updatedAt }: SessionView): OldChatSession {
  return { id, title: title ?? '', owner_id: owner.id, created_at: createdAt, updated_at: updatedAt };
}

export function presentOldMessage({ id, conversationId, role, content, createdAt }: MessageView): OldChatMessage {
  return {
    id,
    content: content ?? '',
    is_user_message: role === 'user' || role === 'peer',
    session_id: conversationId,
    created_at: createdAt,
  };
}
