import { Check, Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

export type ConversationKind = 'session' | 'channel' | 'direct' | 'thread';

/** Every room. Sessions, channels, directs and threads have rows of their own that share this id. */
@Entity('conversations')
@Check('conversations_kind', `kind IN ('session', 'channel', 'direct', 'thread')`)
@Check('conversations_counters', `0 <= cleared_seq AND cleared_seq <= last_seq AND last_seq <= last_rev`)
export class Conversation {
  @PrimaryColumn('uuid') id: string;
  @Column('text') kind: ConversationKind;
  /** Counts messages; taken under this row's lock. */
  @Column('bigint', { default: 0 }) lastSeq: number;
  /** Counts changes; taken under this row's lock, so that commit order is its order. */
  @Column('bigint', { default: 0 }) lastRev: number;
  /** Everything up to this seq was cleared away. */
  @Column('bigint', { default: 0 }) clearedSeq: number;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) lastMessageAt: Date | null;
  /** Cursors before this rev cannot be served: something that changed after them has been purged. */
  @Column('bigint', { default: 0 }) floorRev: number;
  /** Takes no message: a closed session, a VOICE channel. Checked in the same statement that appends. */
  @Column('boolean', { default: false }) closed: boolean;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
}
