import { Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn, UpdateDateColumn } from 'typeorm';
import { User } from '../../users/user.entity.js';

/** A community: channels, and people with roles. */
@Entity('servers')
@Index('servers_created_by', ['createdBy'])
export class Server {
  @PrimaryColumn('uuid') id: string;
  @Column('text') name: string;
  @Column('text', { nullable: true }) iconUrl: string | null;
  @Column('uuid', { nullable: true })
  @ForeignKey(() => User, { name: 'servers_created_by_fk', onDelete: 'SET NULL' })
  createdBy: string | null;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
  @UpdateDateColumn({ type: 'timestamptz', precision: 3 }) updatedAt: Date;
}
