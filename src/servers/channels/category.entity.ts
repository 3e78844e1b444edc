import { Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Server } from '../servers/server.entity.js';

/** A heading over channels. */
@Entity('categories')
@Index('categories_name_key', ['serverId', 'nameKey'], { unique: true })
export class Category {
  @PrimaryColumn('uuid') id: string;
  @Column('uuid')
  @ForeignKey(() => Server, { name: 'categories_server_fk', onDelete: 'CASCADE' })
  serverId: string;
  @Column('text') name: string;
  @Column('text') nameKey: string;
  @Column('integer') position: number;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
}
