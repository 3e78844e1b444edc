import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Message } from '../message.entity.js';

/** What an edited message said before. Deleting the message deletes these too. */
@Entity('message_revisions')
@Index('message_revisions_age', ['createdAt'])
@ForeignKey(() => Message, ['conversationId', 'messageId'], ['conversationId', 'id'], {
  name: 'message_revisions_message_fk',
  onDelete: 'CASCADE',
})
export class MessageRevision {
  @PrimaryColumn('uuid') conversationId: string;
  @PrimaryColumn('uuid') messageId: string;
  /** The rev the message had while it said this. */
  @PrimaryColumn('bigint') rev: number;
  @Column('text') content: string;
  /** Since when it said this. */
  @Column({ type: 'timestamptz', precision: 3 }) createdAt: Date;
}
