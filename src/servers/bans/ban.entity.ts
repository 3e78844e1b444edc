import { Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../../users/user.entity.js';
import { Server } from '../servers/server.entity.js';

/** Somebody who may not become a member. A trigger keeps memberships and bans apart. */
@Entity('bans')
@Index('bans_user', ['userId'])
@Index('bans_banned_by', ['bannedBy'], { where: 'banned_by IS NOT NULL' })
export class Ban {
  @PrimaryColumn('uuid')
  @ForeignKey(() => Server, { name: 'bans_server_fk', onDelete: 'CASCADE' })
  serverId: string;
  @PrimaryColumn('uuid')
  @ForeignKey(() => User, { name: 'bans_user_fk', onDelete: 'CASCADE' })
  userId: string;
  @Column('uuid', { nullable: true })
  @ForeignKey(() => User, { name: 'bans_banned_by_fk', onDelete: 'SET NULL' })
  bannedBy: string | null;
  @Column('text', { nullable: true }) reason: string | null;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
}
