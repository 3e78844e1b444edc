import { CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn, Column } from 'typeorm';
import { Conversation } from '../../conversations/conversation.entity.js';
import { Message } from '../message.entity.js';

/** A conversation that hangs on a message of another one and goes with it. */
@Entity('threads')
@Index('threads_message_key', ['parentId', 'messageId'], { unique: true })
@Index('threads_activity', ['parentId', 'activeAt', 'id'])
@ForeignKey(() => Message, ['parentId', 'messageId'], ['conversationId', 'id'], {
  name: 'threads_message_fk',
  onDelete: 'CASCADE',
})
export class Thread {
  @PrimaryColumn('uuid')
  @ForeignKey(() => Conversation, { name: 'threads_conversation_fk', onDelete: 'CASCADE' })
  id: string;
  /** The conversation of the message. */
  @Column('uuid') parentId: string;
  @Column('uuid') messageId: string;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
  /** When something was said in it last, or it was opened: a trigger follows its conversation. */
  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' }) activeAt: Date;
}
