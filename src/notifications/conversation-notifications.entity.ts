import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Conversation } from '../conversations/conversation.entity.js';
import { User } from '../users/user.entity.js';

export const LEVELS = ['all', 'mentions', 'none'] as const;
export type Level = (typeof LEVELS)[number];

/** What somebody wants to be notified of in a conversation; no row means as in what it belongs to. */
@Entity('conversation_notifications')
@Index('conversation_notifications_conversation', ['conversationId'])
@Check('conversation_notifications_level', `level IN ('all', 'mentions', 'none')`)
export class ConversationNotifications {
  @PrimaryColumn('uuid')
  @ForeignKey(() => User, { name: 'conversation_notifications_user_fk', onDelete: 'CASCADE' })
  userId: string;
  @PrimaryColumn('uuid')
  @ForeignKey(() => Conversation, { name: 'conversation_notifications_conversation_fk', onDelete: 'CASCADE' })
  conversationId: string;
  @Column('text') level: Level;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) mutedUntil: Date | null;
}
