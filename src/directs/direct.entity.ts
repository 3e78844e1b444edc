import { Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Conversation } from '../conversations/conversation.entity.js';

/** How many people a direct conversation has. */
export const FEWEST_IN_DIRECT = 2;
export const MOST_IN_DIRECT = 10;

/** The one conversation of a set of people. */
@Entity('directs')
@Index('directs_people_key', ['peopleKey'], { unique: true })
export class Direct {
  @PrimaryColumn('uuid')
  @ForeignKey(() => Conversation, { name: 'directs_conversation_fk', onDelete: 'CASCADE' })
  id: string;
  /** SHA-256 of their ids in order: one set has one conversation, whoever asks for it. */
  @Column('bytea') peopleKey: Buffer;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
}
