import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { presentProfile, Profile, profileJson } from '../users/profile.presenter.js';
import type { UserKind } from '../users/user.entity.js';
import { WAITS } from './peer/queue.presenter.js';
import { ReplyState } from './replies/reply.presenter.js';
import type { SessionStatus, SessionType } from './session.entity.js';

export class SessionAgent {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty() slug: string;
  @ApiProperty() name: string;
  @ApiProperty({ type: String, nullable: true }) avatarUrl: string | null;
}

/** Of a session that waits for an advocate. */
export class QueuePlace {
  @ApiProperty({ format: 'date-time' }) waitingSince: string;
  @ApiProperty({
    type: Number,
    nullable: true,
    example: 3,
    description: 'One is next; exact up to 1,000. Null in lists: ask for the session itself.',
  })
  position: number | null;
}

export class SessionView {
  @ApiProperty({ format: 'uuid', description: 'Also the id of its conversation.' }) id: string;
  @ApiProperty({ enum: ['agent', 'peer'] }) type: SessionType;
  @ApiProperty({ type: String, nullable: true }) title: string | null;
  @ApiProperty({ enum: ['open', 'closed'] }) status: SessionStatus;
  @ApiProperty({ type: Profile }) owner: Profile;
  @ApiPropertyOptional({ type: SessionAgent, nullable: true }) agent: SessionAgent | null;
  @ApiPropertyOptional({ type: Profile, nullable: true }) advocate: Profile | null;
  @ApiPropertyOptional({ type: String, nullable: true }) externalId: string | null;
  @ApiPropertyOptional({ type: ReplyState, nullable: true, description: 'The one that runs, or else the latest.' })
  reply: ReplyState | null;
  @ApiPropertyOptional({ type: QueuePlace, nullable: true, description: 'Where it waits for an advocate.' })
  queue: QueuePlace | null;
  @ApiProperty({ type: String, nullable: true, format: 'date-time' }) lastMessageAt: string | null;
  @ApiProperty({ format: 'date-time' }) createdAt: string;
  @ApiProperty({ format: 'date-time' }) updatedAt: string;
}

interface ProfileJson {
  id: string;
  username: string;
  displayName: string;
  avatarUrl: string | null;
  kind: UserKind;
}

/** A row of SESSION_ROWS. */
export interface SessionRow {
  id: string;
  type: SessionType;
  title: string | null;
  status: SessionStatus;
  externalId: string | null;
  lastMessageAt: Date | null;
  activity: Date;
  waitingSince: Date | null;
  /** Its place in the queue, where that was asked for. */
  position?: number | null;
  createdAt: Date;
  updatedAt: Date;
  owner: ProfileJson;
  advocate: ProfileJson | null;
  agent: SessionAgent | null;
  reply: ReplyState | null;
}

export const SESSION_ROWS = `
  SELECT s.id, s.type, s.title, s.status, s.external_id AS "externalId", c.last_message_at AS "lastMessageAt",
    CASE WHEN ${WAITS} THEN s.queued_at END AS "waitingSince",
    s.active_at AS activity, s.created_at AS "createdAt", s.updated_at AS "updatedAt",
    ${profileJson('owner')} AS owner, ${profileJson('advocate')} AS advocate,
    CASE WHEN a.id IS NULL THEN NULL ELSE json_build_object(
      'id', a.id, 'slug', a.slug, 'name', a.name, 'avatarUrl', a.avatar_url) END AS agent,
    latest.reply
  FROM sessions s
  JOIN conversations c ON c.id = s.id
  JOIN users owner ON owner.id = s.owner_id
  LEFT JOIN users advocate ON advocate.id = s.advocate_id
  LEFT JOIN agents a ON a.id = s.agent_id
  LEFT JOIN LATERAL (
    SELECT json_build_object('id', id, 'status', status, 'error', error) AS reply FROM (
      (SELECT id, status, error FROM replies WHERE session_id = s.id AND status = 'running')
      UNION ALL (SELECT id, status, error FROM replies WHERE session_id = s.id
        ORDER BY created_at DESC, id DESC LIMIT 1)
    ) known LIMIT 1
  ) latest ON true`;

export function presentSession(row: SessionRow): SessionView {
  return {
    id: row.id,
    type: row.type,
    title: row.title,
    status: row.status,
    owner: presentProfile(row.owner),
    agent: row.agent,
    advocate: row.advocate && presentProfile(row.advocate),
    externalId: row.externalId,
    reply: row.reply,
    queue: row.waitingSince && { waitingSince: row.waitingSince.toISOString(), position: row.position ?? null },
    lastMessageAt: row.lastMessageAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
