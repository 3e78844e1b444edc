import { Check, Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Conversation } from '../../conversations/conversation.entity.js';
import { Server } from '../servers/server.entity.js';
import { Category } from './category.entity.js';

export type ChannelType = 'TEXT' | 'VOICE';

@Entity('channels')
@Index('channels_server', ['serverId', 'position', 'id'])
@Index('channels_name_key', ['serverId', 'nameKey'], { unique: true })
@Index('channels_category', ['categoryId'])
@Check('channels_type', `type IN ('TEXT', 'VOICE')`)
export class Channel {
  @PrimaryColumn('uuid')
  @ForeignKey(() => Conversation, { name: 'channels_conversation_fk', onDelete: 'CASCADE' })
  id: string;
  @Column('uuid')
  @ForeignKey(() => Server, { name: 'channels_server_fk', onDelete: 'CASCADE' })
  serverId: string;
  @Column('uuid', { nullable: true })
  @ForeignKey(() => Category, { name: 'channels_category_fk', onDelete: 'SET NULL' })
  categoryId: string | null;
  @Column('text') name: string;
  /** NFKC, lower case: unique in its server. */
  @Column('text') nameKey: string;
  @Column('text') type: ChannelType;
  @Column('integer') position: number;
  @Column('text', { nullable: true }) topic: string | null;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
}
