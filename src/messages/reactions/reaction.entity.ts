import { Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../../users/user.entity.js';
import { Message } from '../message.entity.js';

/** Kinds of reaction that a message takes. */
export const MAX_KINDS = 20;

/** Somebody's reaction. It outlives their account, as what they said does. */
@Entity('reactions')
@Index('reactions_user_key', ['conversationId', 'messageId', 'userId', 'emoji'], { unique: true })
@Index('reactions_user', ['userId'], { where: 'user_id IS NOT NULL' })
@ForeignKey(() => Message, ['conversationId', 'messageId'], ['conversationId', 'id'], {
  name: 'reactions_message_fk',
  onDelete: 'CASCADE',
})
export class Reaction {
  @PrimaryColumn('uuid') conversationId: string;
  @PrimaryColumn('uuid') messageId: string;
  @PrimaryColumn('text') emoji: string;
  /** The rev of the change that it was. */
  @PrimaryColumn('bigint') rev: number;
  @Column('uuid', { nullable: true })
  @ForeignKey(() => User, { name: 'reactions_user_fk', onDelete: 'SET NULL' })
  userId: string | null;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
}
