import { Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Server } from '../../servers/servers/server.entity.js';
import { User } from '../../users/user.entity.js';

/** What somebody did with their rights in a server. Written in the transaction that does it. */
@Entity('audit_log')
@Index('audit_log_server', ['serverId', 'id'])
@Index('audit_log_actor', ['actorId'], { where: 'actor_id IS NOT NULL' })
export class AuditEntry {
  @PrimaryColumn('uuid') id: string;
  @Column('uuid')
  @ForeignKey(() => Server, { name: 'audit_log_server_fk', onDelete: 'CASCADE' })
  serverId: string;
  @Column('uuid', { nullable: true })
  @ForeignKey(() => User, { name: 'audit_log_actor_fk', onDelete: 'SET NULL' })
  actorId: string | null;
  @Column('text') action: string;
  /** The person, channel, category or message acted on: perhaps gone by now, so no foreign key. */
  @Column('uuid', { nullable: true }) targetId: string | null;
  @Column('jsonb', { nullable: true }) details: Record<string, unknown> | null;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
}
