import { Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../../users/user.entity.js';
import { Message } from '../message.entity.js';

/** Somebody else's name in a message: what unread mentions are counted from. */
@Entity('mentions')
@Index('mentions_user', ['userId', 'conversationId', 'seq'])
@ForeignKey(() => Message, ['conversationId', 'seq'], ['conversationId', 'seq'], {
  name: 'mentions_message_fk',
  onDelete: 'CASCADE',
})
export class Mention {
  @PrimaryColumn('uuid') conversationId: string;
  @PrimaryColumn('bigint') seq: number;
  @PrimaryColumn('uuid')
  @ForeignKey(() => User, { name: 'mentions_user_fk', onDelete: 'CASCADE' })
  userId: string;
}
