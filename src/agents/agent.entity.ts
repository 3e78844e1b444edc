import { Check, Column, CreateDateColumn, Entity, Index, PrimaryColumn, UpdateDateColumn } from 'typeorm';

export type AgentKind = 'echo' | 'webhook' | 'openai';

/**
 * Who answers by itself. `kind` says what stands behind it. A deleted one keeps its row, so that what it said keeps
 * its author, and nothing of what it took to answer.
 */
@Entity('agents')
@Index('agents_slug_key', ['slug'], { unique: true, where: 'deleted_at IS NULL' })
@Check('agents_kind', `kind IN ('echo', 'webhook', 'openai')`)
@Check('agents_sealed', `(key_id IS NULL) = (sealed IS NULL)`)
@Check('agents_budget', `context_tokens > 0 AND max_tokens > 0`)
@Check(
  'agents_complete',
  `NOT enabled OR kind = 'echo' OR (kind = 'webhook' AND url IS NOT NULL) OR (kind = 'openai' AND model IS NOT NULL)`,
)
@Check(
  'agents_deleted',
  `deleted_at IS NULL OR (NOT enabled AND url IS NULL AND sealed IS NULL AND system_prompt IS NULL)`,
)
export class Agent {
  @PrimaryColumn('uuid') id: string;
  @Column('text') slug: string;
  @Column('text') name: string;
  @Column('text', { default: '' }) description: string;
  @Column('text', { nullable: true }) avatarUrl: string | null;
  @Column('text', { nullable: true }) greeting: string | null;
  @Column('text') kind: AgentKind;
  @Column('boolean', { default: true }) enabled: boolean;
  /** Said to the model before everything else. */
  @Column('text', { nullable: true }) systemPrompt: string | null;
  /** What a webhook is called at; the base of an OpenAI-compatible API, none for OpenAI's own. */
  @Column('text', { nullable: true }) url: string | null;
  @Column('text', { nullable: true }) model: string | null;
  /** Under which name people keep a key of their own for it, where it has none. */
  @Column('text', { default: 'openai' }) provider: string;
  /** What the model is shown of a conversation, with its prompt: in tokens, estimated. */
  @Column('integer', { default: 8000 }) contextTokens: number;
  /** The longest answer; none leaves it to the provider. */
  @Column('integer', { nullable: true }) maxTokens: number | null;
  @Column('real', { nullable: true }) temperature: number | null;
  /** Which ENCRYPTION_KEY its own key is sealed with. */
  @Column('text', { nullable: true }) keyId: string | null;
  @Column('bytea', { nullable: true }) sealed: Buffer | null;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
  @UpdateDateColumn({ type: 'timestamptz', precision: 3 }) updatedAt: Date;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) deletedAt: Date | null;
}
