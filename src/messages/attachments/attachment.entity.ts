import { Check, Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../../users/user.entity.js';
import { Message } from '../message.entity.js';

/** A file that somebody has uploaded; loose until it is sent with a message. The file has the same id. */
@Entity('attachments')
@Index('attachments_message', ['conversationId', 'messageId'])
@Index('attachments_uploader', ['uploaderId'])
@Index('attachments_loose', ['createdAt'], { where: 'message_id IS NULL' })
@Check('attachments_size', `size >= 0`)
@Check('attachments_place', `(conversation_id IS NULL) = (message_id IS NULL)`)
@ForeignKey(() => Message, ['conversationId', 'messageId'], ['conversationId', 'id'], {
  name: 'attachments_message_fk',
  onDelete: 'CASCADE',
})
export class Attachment {
  @PrimaryColumn('uuid') id: string;
  @Column('uuid', { nullable: true })
  @ForeignKey(() => User, { name: 'attachments_uploader_fk', onDelete: 'SET NULL' })
  uploaderId: string | null;
  @Column('uuid', { nullable: true }) conversationId: string | null;
  @Column('uuid', { nullable: true }) messageId: string | null;
  /** As it was called on the uploader's side, without what could deceive or climb out of a folder. */
  @Column('text') name: string;
  /** By its content. */
  @Column('text') type: string;
  @Column('bigint') size: number;
  /** Of an image, as it is seen. */
  @Column('integer', { nullable: true }) width: number | null;
  @Column('integer', { nullable: true }) height: number | null;
  @Column('boolean', { default: false }) thumbnail: boolean;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
}
