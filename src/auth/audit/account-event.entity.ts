import { Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../../users/user.entity.js';

/** What happened to an account. Goes with it. */
@Entity('account_events')
@Index('account_events_user', ['userId', 'id'])
@Index('account_events_actor', ['actorId'], { where: 'actor_id IS NOT NULL' })
export class AccountEvent {
  @PrimaryColumn('uuid') id: string;
  @Column('uuid')
  @ForeignKey(() => User, { name: 'account_events_user_fk', onDelete: 'CASCADE' })
  userId: string;
  /** Who did it, where it was not the person: an administrator. */
  @Column('uuid', { nullable: true })
  @ForeignKey(() => User, { name: 'account_events_actor_fk', onDelete: 'SET NULL' })
  actorId: string | null;
  @Column('text') kind: string;
  @Column('text', { nullable: true }) device: string | null;
  @Column('text', { nullable: true }) address: string | null;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
}
