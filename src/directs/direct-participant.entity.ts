import { Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../users/user.entity.js';
import { Direct } from './direct.entity.js';

@Entity('direct_participants')
@Index('direct_participants_user', ['userId', 'directId'])
export class DirectParticipant {
  @PrimaryColumn('uuid')
  @ForeignKey(() => Direct, { name: 'direct_participants_direct_fk', onDelete: 'CASCADE' })
  directId: string;
  @PrimaryColumn('uuid')
  @ForeignKey(() => User, { name: 'direct_participants_user_fk', onDelete: 'CASCADE' })
  userId: string;
}
