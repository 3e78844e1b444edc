import { ApiProperty } from '@nestjs/swagger';
import { IsString, Length } from 'class-validator';
import type { MessageRole } from '../../messages/message.entity.js';
import type { MessageView } from '../../messages/message.presenter.js';
import { IsContent } from '../../messages/messages.dto.js';
import { LeavesOutUnknown } from '../../platform/http/validation.js';
import type { SessionView } from '../../sessions/session.presenter.js';

@LeavesOutUnknown()
export class OldCharacterBody {
  @ApiProperty({ example: 'echo', description: "An agent's slug." })
  @IsString()
  @Length(1, 200)
  characterId: string;
}

@LeavesOutUnknown()
export class OldSayBody {
  @ApiProperty({ example: 'Who are you?' })
  @IsContent()
  content: string;
}

export class OldCharacterSession {
  @ApiProperty() id: string;
  @ApiProperty({ example: 'echo' }) characterId: string;
  @ApiProperty() userId: string;
  @ApiProperty({ format: 'date-time' }) createdAt: string;
  @ApiProperty({ format: 'date-time' }) updatedAt: string;
}

export class OldCharacterMessage {
  @ApiProperty() id: string;
  @ApiProperty() sessionId: string;
  @ApiProperty() userId: string;
  @ApiProperty({ enum: ['user', 'agent', 'system'] }) role: MessageRole;
  @ApiProperty() content: string;
  @ApiProperty({ format: 'date-time' }) createdAt: string;
}

export class OldCharacterAnswer extends OldCharacterMessage {
  @ApiProperty({ type: OldCharacterMessage, description: 'What the character answers.' }) reply: OldCharacterMessage;
}

export class OldCleared {
  @ApiProperty({ example: 'Messages cleared' }) message: string;
}

/** Gives nothing for a session with nobody who could be a character. */
export function presentCharacterSession(session: SessionView): OldCharacterSession | undefined {
  const { id, agent, owner, createdAt, updatedAt } = session;
  return agent ? { id, characterId: agent.slug, userId: owner.id, createdAt, updatedAt } : undefined;
}

export function presentCharacterMessage(userId: string, message: MessageView): OldCharacterMessage {
  const { id, conversationId, role, content, createdAt } = message;
  return { id, sessionId: conversationId, userId, role, content: content ?? '', createdAt };
}
