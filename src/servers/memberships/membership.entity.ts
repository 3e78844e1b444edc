import { Check, Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../../users/user.entity.js';
import { Server } from '../servers/server.entity.js';

export type Role = 'ADMIN' | 'MODERATOR' | 'MEMBER';

@Entity('memberships')
@Index('memberships_user', ['userId'])
@Check('memberships_role', `role IN ('ADMIN', 'MODERATOR', 'MEMBER')`)
export class Membership {
  @PrimaryColumn('uuid')
  @ForeignKey(() => Server, { name: 'memberships_server_fk', onDelete: 'CASCADE' })
  serverId: string;
  @PrimaryColumn('uuid')
  @ForeignKey(() => User, { name: 'memberships_user_fk', onDelete: 'CASCADE' })
  userId: string;
  @Column('text') role: Role;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) joinedAt: Date;
}
