import { ApiProperty } from '@nestjs/swagger';
import type { ReplyStatus } from './reply.entity.js';

const STATUSES = ['waiting', 'running', 'done', 'failed', 'stopped'];

/** How it stands with an agent's reply, as the session shows it. */
export class ReplyState {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty({ enum: STATUSES }) status: ReplyStatus;
  @ApiProperty({
    type: String,
    nullable: true,
    example: 'timed_out',
    description: 'Of a failed one, why: a stable word.',
  })
  error: string | null;
}

export class ReplyView extends ReplyState {
  @ApiProperty({ description: 'What is said so far, or was said when it failed; empty once it is a message.' })
  text: string;
  @ApiProperty({ format: 'uuid', description: 'The message that it answers.' }) askedId: string;
  @ApiProperty({ type: String, nullable: true, format: 'uuid', description: 'The message that it became.' })
  messageId: string | null;
  @ApiProperty({ format: 'date-time' }) createdAt: string;
  @ApiProperty({ type: String, nullable: true, format: 'date-time' }) startedAt: string | null;
  @ApiProperty({ type: String, nullable: true, format: 'date-time' }) endedAt: string | null;
}

/** A row of REPLY_COLUMNS. */
export interface ReplyRow {
  id: string;
  status: ReplyStatus;
  error: string | null;
  text: string;
  askedId: string;
  messageId: string | null;
  attempts: number;
  createdAt: Date;
  startedAt: Date | null;
  endedAt: Date | null;
}

export const REPLY_COLUMNS = `
  reply.id, reply.status, reply.error, reply.text, reply.asked_id AS "askedId", reply.message_id AS "messageId",
  reply.attempts, reply.created_at AS "createdAt", reply.started_at AS "startedAt", reply.ended_at AS "endedAt"`;

export function presentReply(row: ReplyRow): ReplyView {
  const { id, status, error, text, askedId, messageId, createdAt, startedAt, endedAt } = row;
  return {
    id,
    status,
    error,
    text,
    askedId,
    messageId,
    createdAt: createdAt.toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    endedAt: endedAt?.toISOString() ?? null,
  };
}
