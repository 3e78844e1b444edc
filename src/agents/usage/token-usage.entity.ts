import { Check, Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../../users/user.entity.js';
import { Agent } from '../agent.entity.js';

/** What an answer has cost whom. A trigger writes it in the commit that ends the reply; the session may go, it stays. */
@Entity('token_usage')
@Index('token_usage_user', ['userId', 'createdAt'])
@Index('token_usage_agent', ['agentId', 'createdAt'])
@Check('token_usage_tokens', `tokens >= 0`)
export class TokenUsage {
  @PrimaryColumn('uuid') replyId: string;
  @Column('uuid')
  @ForeignKey(() => User, { name: 'token_usage_user_fk', onDelete: 'CASCADE' })
  userId: string;
  @Column('uuid')
  @ForeignKey(() => Agent, { name: 'token_usage_agent_fk', onDelete: 'CASCADE' })
  agentId: string;
  @Column('integer') tokens: number;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
}
