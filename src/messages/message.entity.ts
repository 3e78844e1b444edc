import { Check, Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Agent } from '../agents/agent.entity.js';
import { Conversation } from '../conversations/conversation.entity.js';
import { User } from '../users/user.entity.js';

/** Pinned messages that a conversation keeps. */
export const MAX_PINS = 50;

export type MessageRole = 'user' | 'agent' | 'peer' | 'system';

/** One kind of reaction to a message. */
export interface ReactionCount {
  emoji: string;
  count: number;
}

/** What is kept of an attachment in the row of its message, so that showing messages needs no other table. */
export interface AttachmentData {
  id: string;
  name: string;
  type: string;
  size: number;
  width: number | null;
  height: number | null;
  thumbnail: boolean;
}

/**
 * Every message of every room. Each key starts with the conversation, so that the table can be partitioned or
 * distributed by it. A deleted message keeps its row and its seq; its text is gone.
 */
@Entity('messages')
@Index('messages_id_key', ['conversationId', 'id'], { unique: true })
@Index('messages_rev_key', ['conversationId', 'rev'], { unique: true })
@Index('messages_nonce_key', ['conversationId', 'authorId', 'nonce'], { unique: true, where: 'nonce IS NOT NULL' })
@Index('messages_agent_nonce_key', ['conversationId', 'agentId', 'nonce'], {
  unique: true,
  where: 'nonce IS NOT NULL AND agent_id IS NOT NULL',
})
@Index('messages_author', ['authorId'], { where: 'author_id IS NOT NULL' })
@Index('messages_agent', ['agentId'], { where: 'agent_id IS NOT NULL' })
@Index('messages_pinned', ['conversationId', 'pinnedAt', 'seq'], { where: 'pinned_at IS NOT NULL' })
@Index('messages_tombstones', ['deletedAt', 'conversationId', 'seq'], { where: 'deleted_at IS NOT NULL' })
@Index('messages_everyone', ['conversationId', 'seq'], { where: 'mentions_everyone' })
@Index('messages_reply', ['conversationId', 'replyToId'], { where: 'reply_to_id IS NOT NULL' })
@Index('messages_time', ['conversationId', 'createdAt', 'id'])
@Index('messages_files', ['conversationId', 'createdAt', 'id'], { where: 'attachments IS NOT NULL' })
// Of a kind or of expressions that only the migration can say.
@Index('messages_age', { synchronize: false })
@Index('messages_words', { synchronize: false })
@Index('messages_parts', { synchronize: false })
@Check('messages_role', `role IN ('user', 'agent', 'peer', 'system')`)
@Check('messages_deleted', `(content IS NULL) = (deleted_at IS NOT NULL)`)
@Check('messages_rev', `rev >= seq AND seq > 0`)
@Check('messages_reactions', `jsonb_array_length(reactions) BETWEEN 1 AND 20`)
@ForeignKey(() => Message, ['conversationId', 'replyToId'], ['conversationId', 'id'], { name: 'messages_reply_fk' })
export class Message {
  @PrimaryColumn('uuid')
  @ForeignKey(() => Conversation, { name: 'messages_conversation_fk', onDelete: 'CASCADE' })
  conversationId: string;
  @PrimaryColumn('bigint') seq: number;
  @Column('uuid') id: string;
  @Column('bigint') rev: number;
  @Column('uuid', { nullable: true })
  @ForeignKey(() => User, { name: 'messages_author_fk', onDelete: 'SET NULL' })
  authorId: string | null;
  @Column('uuid', { nullable: true })
  @ForeignKey(() => Agent, { name: 'messages_agent_fk', onDelete: 'SET NULL' })
  agentId: string | null;
  @Column('text') role: MessageRole;
  @Column('text', { nullable: true }) content: string | null;
  @Column('jsonb', { nullable: true }) metadata: Record<string, unknown> | null;
  @Column('integer', { nullable: true }) tokensUsed: number | null;
  /** In the order in which they were named; a copy of their rows, which never change. */
  @Column('jsonb', { nullable: true }) attachments: AttachmentData[] | null;
  @Column('text', { nullable: true }) nonce: string | null;
  /** The head of the SHA-256 of what was sent with the nonce: tells a repeated send from a reused nonce, also after edits. */
  @Column('bytea', { nullable: true }) sentHash: Buffer | null;
  @Column('uuid', { nullable: true }) replyToId: string | null;
  /** Who is named in it, the author too. Somebody may be gone since. */
  @Column('uuid', { array: true, nullable: true }) mentions: string[] | null;
  @Column('boolean', { default: false }) mentionsEveryone: boolean;
  /** What the rows of `reactions` come to, in the order in which each kind was first chosen. */
  @Column('jsonb', { nullable: true }) reactions: ReactionCount[] | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) pinnedAt: Date | null;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) editedAt: Date | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) deletedAt: Date | null;
}
