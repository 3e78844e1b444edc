import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Message } from '../../messages/message.entity.js';
import { Session } from '../session.entity.js';

export type ReplyStatus = 'waiting' | 'running' | 'done' | 'failed' | 'stopped';

/**
 * What an agent was asked to say: a job that is made in the commit of the message that asks, and ends in the commit
 * of the message that answers. One waits and one runs in a session, at most.
 */
@Entity('replies')
@Index('replies_waiting_key', ['sessionId'], { unique: true, where: `status = 'waiting'` })
@Index('replies_running_key', ['sessionId'], { unique: true, where: `status = 'running'` })
@Index('replies_asked_key', ['sessionId', 'askedId'], {
  unique: true,
  where: `replaces_id IS NULL AND status IN ('waiting', 'running', 'done')`,
})
@Index('replies_asked', ['sessionId', 'askedId'])
@Index('replies_replaces', ['sessionId', 'replacesId'], { where: 'replaces_id IS NOT NULL' })
@Index('replies_message', ['sessionId', 'messageId'], { where: 'message_id IS NOT NULL' })
@Index('replies_latest', ['sessionId', 'createdAt', 'id'])
@Index('replies_ended', ['endedAt'], { where: 'ended_at IS NOT NULL' })
@Check('replies_status', `status IN ('waiting', 'running', 'done', 'failed', 'stopped')`)
@Check('replies_failed', `(status = 'failed') = (error IS NOT NULL)`)
@Check('replies_done', `status <> 'done' OR message_id IS NOT NULL`)
@Check('replies_leased', `(status = 'running') = (leased_until IS NOT NULL)`)
@ForeignKey(() => Message, ['sessionId', 'askedId'], ['conversationId', 'id'], {
  name: 'replies_asked_fk',
  onDelete: 'CASCADE',
})
@ForeignKey(() => Message, ['sessionId', 'replacesId'], ['conversationId', 'id'], {
  name: 'replies_replaces_fk',
  onDelete: 'CASCADE',
})
@ForeignKey(() => Message, ['sessionId', 'messageId'], ['conversationId', 'id'], {
  name: 'replies_message_fk',
  onDelete: 'CASCADE',
})
export class Reply {
  @PrimaryColumn('uuid')
  @ForeignKey(() => Session, { name: 'replies_session_fk', onDelete: 'CASCADE' })
  sessionId: string;
  @PrimaryColumn('uuid') id: string;
  /** The message to answer; it moves on to a newer one as long as the reply waits. */
  @Column('uuid') askedId: string;
  /** Said again: the earlier answer, which becomes a revision. */
  @Column('uuid', { nullable: true }) replacesId: string | null;
  /** What it became. */
  @Column('uuid', { nullable: true }) messageId: string | null;
  @Column('text', { default: 'waiting' }) status: ReplyStatus;
  /** How often a node has taken it up. Also the fence: an attempt that is over can store nothing. */
  @Column('integer', { default: 0 }) attempts: number;
  /** Who runs it, and until when the others believe that. */
  @Column('integer', { nullable: true }) node: number | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) leasedUntil: Date | null;
  @Column('boolean', { default: false }) stopRequested: boolean;
  /** What was said so far, at most a second old; of a failed one, all that was said. */
  @Column('text', { default: '' }) text: string;
  /** Why it failed: a stable word. */
  @Column('text', { nullable: true }) error: string | null;
  @Column('integer', { default: 0 }) tokensUsed: number;
  /** By the clock, and not by when the transaction began, which may have waited: the latest is found by it. */
  @Column({ type: 'timestamptz', precision: 3, default: () => 'clock_timestamp()' }) createdAt: Date;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) startedAt: Date | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) endedAt: Date | null;
}
