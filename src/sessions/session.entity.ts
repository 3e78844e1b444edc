import { Check, Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn, UpdateDateColumn } from 'typeorm';
import { Agent } from '../agents/agent.entity.js';
import { Conversation } from '../conversations/conversation.entity.js';
import { User } from '../users/user.entity.js';

export type SessionType = 'agent' | 'peer';
export type SessionStatus = 'open' | 'closed';

/** A life cycle around a conversation: one person, and an agent or an advocate. */
@Entity('sessions')
@Index('sessions_owner_activity', ['ownerId', 'type', 'status', 'activeAt', 'id'])
@Index('sessions_owner_agent_activity', ['ownerId', 'agentId', 'status', 'activeAt', 'id'])
@Index('sessions_advocate_activity', ['advocateId', 'status', 'activeAt', 'id'])
@Index('sessions_agent', ['agentId'])
@Index('sessions_queue', ['queuedAt', 'id'], {
  where: `type = 'peer' AND status = 'open' AND advocate_id IS NULL`,
})
@Index('sessions_external', ['externalId'], { where: 'external_id IS NOT NULL' })
@Index('sessions_external_key', ['ownerId', 'externalId'], { unique: true, where: 'external_id IS NOT NULL' })
@Index('sessions_standing_key', ['ownerId', 'agentId'], { unique: true, where: 'standing' })
@Check('sessions_type', `type IN ('agent', 'peer')`)
@Check('sessions_status', `status IN ('open', 'closed')`)
export class Session {
  @PrimaryColumn('uuid')
  @ForeignKey(() => Conversation, { name: 'sessions_conversation_fk', onDelete: 'CASCADE' })
  id: string;
  @Column('uuid')
  @ForeignKey(() => User, { name: 'sessions_owner_fk', onDelete: 'CASCADE' })
  ownerId: string;
  @Column('text') type: SessionType;
  @Column('text', { default: 'open' }) status: SessionStatus;
  @Column('text', { nullable: true }) title: string | null;
  @Column('uuid', { nullable: true })
  @ForeignKey(() => Agent, { name: 'sessions_agent_fk', onDelete: 'SET NULL' })
  agentId: string | null;
  @Column('uuid', { nullable: true })
  @ForeignKey(() => User, { name: 'sessions_advocate_fk', onDelete: 'SET NULL' })
  advocateId: string | null;
  /** A name the client gave it; one session for each owner and name. */
  @Column('text', { nullable: true }) externalId: string | null;
  /** The one session of this owner with this agent that `by-agent` finds. */
  @Column('boolean', { default: false }) standing: boolean;
  /** When it was made or last written into: the order of lists. */
  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' }) activeAt: Date;
  /** Since when it waits for an advocate, where it does. */
  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' }) queuedAt: Date;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
  @UpdateDateColumn({ type: 'timestamptz', precision: 3 }) updatedAt: Date;
}
