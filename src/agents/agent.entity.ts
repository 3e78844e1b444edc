import { Check, Column, CreateDateColumn, Entity, Index, PrimaryColumn, UpdateDateColumn } from 'typeorm';

export type AgentKind = 'echo' | 'webhook' | 'openai';

/** Who answers by itself. `kind` says what stands behind it. */
@Entity('agents')
@Index('agents_slug_key', ['slug'], { unique: true })
@Check('agents_kind', `kind IN ('echo', 'webhook', 'openai')`)
export class Agent {
  @PrimaryColumn('uuid') id: string;
  @Column('text') slug: string;
  @Column('text') name: string;
  @Column('text', { default: '' }) description: string;
  @Column('text', { nullable: true }) avatarUrl: string | null;
  @Column('text', { nullable: true }) greeting: string | null;
  @Column('text') kind: AgentKind;
  @Column('boolean', { default: true }) enabled: boolean;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
  @UpdateDateColumn({ type: 'timestamptz', precision: 3 }) updatedAt: Date;
}
