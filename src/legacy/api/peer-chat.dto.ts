import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { Allow, isISO8601, IsString, Length } from 'class-validator';
import type { MessageView } from '../../messages/message.presenter.js';
import { IsContent } from '../../messages/messages.dto.js';
import { Optional } from '../../platform/http/optional.js';
import { LeavesOutUnknown } from '../../platform/http/validation.js';
import type { SessionStatus, SessionType } from '../../sessions/session.entity.js';
import type { SessionView } from '../../sessions/session.presenter.js';
import { OtherNames } from './other-names.js';

/** Who the client says it is. Checked against the token, and of no other use. */
@LeavesOutUnknown()
export class OldCallerQuery {
  @ApiPropertyOptional({ type: String, description: 'Your own id, if any.' })
  @Allow()
  userId?: unknown;

  @ApiPropertyOptional({ type: String, description: 'Your own id, if you are the advocate.' })
  @Allow()
  peerAdvocateId?: unknown;
}

export class OldSessionsQuery extends OldCallerQuery {
  @ApiPropertyOptional({ enum: ['agent', 'peer'], description: 'Anything else means both.' })
  @Allow()
  type?: unknown;
}

@LeavesOutUnknown()
export class OldStartBody {
  @ApiPropertyOptional({ type: String, description: 'Your own id, if any.' })
  @Allow()
  userId?: unknown;

  @ApiPropertyOptional({ type: String, description: 'Who is to help; without one the session waits in the queue.' })
  @Transform(({ value }: { value: unknown }) => (value === null || value === '' ? undefined : value))
  @Optional()
  @IsString()
  @Length(1, 200)
  peerAdvocateId?: string;
}

@LeavesOutUnknown()
export class OldPeerBody {
  @ApiProperty({ type: String, example: 'Are you there?' })
  @Allow()
  content: unknown;

  @ApiProperty({ enum: ['user', 'peer'], description: 'The side that you are on.' })
  @Allow()
  from: unknown;
}

@LeavesOutUnknown()
export class OldAskBody {
  @ApiProperty({ example: 'Hello', description: 'Or `message`.' })
  @IsContent()
  @OtherNames('message')
  chatInput: string;

  @ApiPropertyOptional({ type: String, description: 'A name of your own: the session is made on the first message.' })
  @Transform(({ value }: { value: unknown }) => (typeof value === 'number' ? String(value) : (value ?? undefined)))
  @Optional()
  @IsString()
  @Length(1, 200)
  sessionId?: string;

  @ApiPropertyOptional({ type: String, description: 'Your own id, if any.' })
  @Allow()
  userId?: unknown;

  @ApiPropertyOptional({ type: Object, description: 'Only its `userId` is looked at, which must be your own.' })
  @Allow()
  userMeta?: unknown;
}

export class OldPeerSession {
  @ApiProperty() sessionId: string;
  @ApiProperty() userId: string;
  @ApiProperty({ enum: ['agent', 'peer'] }) type: SessionType;
  @ApiProperty({ enum: ['open', 'closed'] }) status: SessionStatus;
  @ApiProperty({ type: String, nullable: true, format: 'date-time' }) lastMessageAt: string | null;
  @ApiProperty({ type: String, nullable: true }) peerAdvocateId: string | null;
  @ApiProperty({ format: 'date-time' }) createdAt: string;
  @ApiProperty({ format: 'date-time' }) updatedAt: string;
}

export class OldPeerMessage {
  @ApiProperty() _id: string;
  @ApiProperty() sessionId: string;
  @ApiProperty() userId: string;
  @ApiProperty({ type: String, nullable: true }) peerAdvocateId: string | null;
  @ApiProperty({ enum: ['user', 'agent', 'peer'] }) role: 'user' | 'agent' | 'peer';
  @ApiProperty({ enum: ['agent', 'peer'] }) source: SessionType;
  @ApiProperty() content: string;
  @ApiProperty({ format: 'date-time' }) createdAt: string;
  @ApiProperty({ type: String, nullable: true, format: 'date-time' }) readAt: string | null;
}

export class OldPeerSessions {
  @ApiProperty({ example: true }) ok: true;
  @ApiProperty({ type: [OldPeerSession] }) sessions: OldPeerSession[];
}

export class OldPeerHistory {
  @ApiProperty({ example: true }) ok: true;
  @ApiProperty({ type: [OldPeerMessage] }) messages: OldPeerMessage[];
  @ApiProperty({ type: OldPeerSession }) session: OldPeerSession;
}

export class OldStarted {
  @ApiProperty({ example: true }) ok: true;
  @ApiProperty({ example: 'peer-1732180000000-k3v9xq' }) sessionId: string;
  @ApiProperty({ type: String, nullable: true }) peerAdvocateId: string | null;
}

export class OldSent {
  @ApiProperty({ example: true }) ok: true;
  @ApiProperty({ type: OldPeerMessage }) message: OldPeerMessage;
}

export class OldAnswer {
  @ApiProperty({ example: true }) ok: true;
  @ApiProperty({ example: 'Hello, how can I help?' }) reply: string;
  @ApiProperty() sessionId: string;
}

export function presentPeerSession(session: SessionView): OldPeerSession {
  const { type, status, owner, advocate, lastMessageAt, createdAt, updatedAt } = session;
  return {
    sessionId: nameOf(session),
    userId: owner.id,
    type,
    status,
    lastMessageAt,
    peerAdvocateId: advocate?.id ?? null,
    createdAt,
    updatedAt,
  };
}

/** Gives nothing for what the house itself says, which the old system had no role for. */
export function presentPeerMessage(session: SessionView, message: MessageView): OldPeerMessage | undefined {
  const { id, role, author, content, createdAt, readAt, metadata } = message;
  if (role === 'system') return undefined;
  const imported = importedFields(metadata);
  return {
    _id: id,
    sessionId: nameOf(session),
    userId: session.owner.id,
    peerAdvocateId: role === 'peer' ? (author?.id ?? null) : null,
    role,
    source: imported.source ?? (role === 'user' ? session.type : role),
    content: content ?? '',
    createdAt,
    readAt: readAt ?? imported.readAt,
  };
}

/** What the import kept of a message that has no place of its own here; anybody may write metadata. */
function importedFields({ source, readAt }: Record<string, unknown>): {
  source: SessionType | undefined;
  readAt: string | null;
} {
  return {
    source: source === 'agent' || source === 'peer' ? source : undefined,
    readAt: typeof readAt === 'string' && isISO8601(readAt) ? readAt : null,
  };
}

/** What the client calls it: the name it was given, if it was given one. */
export function nameOf({ id, externalId }: SessionView): string {
  return externalId ?? id;
}
