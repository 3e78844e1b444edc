import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { Conversation } from './conversation.entity.js';

/**
 * When one side of a peer session had read up to a seq: a row for each step, so that the time of a message is that of
 * the first step which covers it. What the other side sees as `readAt`.
 */
@Entity('read_times')
export class ReadTime {
  @PrimaryColumn('uuid')
  @ForeignKey(() => Conversation, { name: 'read_times_conversation_fk', onDelete: 'CASCADE' })
  conversationId: string;
  /** The owner, or else whoever helps: advocates follow each other. */
  @PrimaryColumn('boolean') byOwner: boolean;
  @PrimaryColumn('bigint') seq: number;
  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' }) readAt: Date;
}
