import { Column, Entity, ForeignKey, Index, PrimaryColumn, UpdateDateColumn } from 'typeorm';
import { User } from '../users/user.entity.js';
import { Conversation } from './conversation.entity.js';

/** How far a person has read; no row means nothing read. */
@Entity('read_markers')
@Index('read_markers_user', ['userId'])
export class ReadMarker {
  @PrimaryColumn('uuid')
  @ForeignKey(() => Conversation, { name: 'read_markers_conversation_fk', onDelete: 'CASCADE' })
  conversationId: string;
  @PrimaryColumn('uuid')
  @ForeignKey(() => User, { name: 'read_markers_user_fk', onDelete: 'CASCADE' })
  userId: string;
  @Column('bigint') seq: number;
  @UpdateDateColumn({ type: 'timestamptz', precision: 3 }) updatedAt: Date;
}
