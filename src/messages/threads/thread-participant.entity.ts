import { CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../../users/user.entity.js';
import { Thread } from './thread.entity.js';

/** Whose inbox lists a thread: who opened it or wrote in it. It grants nothing, who may read is up to the parent. */
@Entity('thread_participants')
@Index('thread_participants_user', ['userId'])
export class ThreadParticipant {
  @PrimaryColumn('uuid')
  @ForeignKey(() => Thread, { name: 'thread_participants_thread_fk', onDelete: 'CASCADE' })
  threadId: string;
  @PrimaryColumn('uuid')
  @ForeignKey(() => User, { name: 'thread_participants_user_fk', onDelete: 'CASCADE' })
  userId: string;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) joinedAt: Date;
}
