import { Check, Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../../users/user.entity.js';
import { Server } from '../servers/server.entity.js';

/** Lets whoever knows the code become a member. */
@Entity('invites')
@Index('invites_server', ['serverId', 'createdAt', 'code'])
@Index('invites_created_by', ['createdBy'], { where: 'created_by IS NOT NULL' })
@Check('invites_uses', 'uses >= 0 AND (max_uses IS NULL OR uses <= max_uses)')
export class Invite {
  @PrimaryColumn('text') code: string;
  @Column('uuid')
  @ForeignKey(() => Server, { name: 'invites_server_fk', onDelete: 'CASCADE' })
  serverId: string;
  @Column('uuid', { nullable: true })
  @ForeignKey(() => User, { name: 'invites_created_by_fk', onDelete: 'SET NULL' })
  createdBy: string | null;
  /** None: any number. */
  @Column('integer', { nullable: true }) maxUses: number | null;
  @Column('integer', { default: 0 }) uses: number;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) expiresAt: Date | null;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
}
