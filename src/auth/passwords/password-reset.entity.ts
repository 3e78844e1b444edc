import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../../users/user.entity.js';

/** Lets somebody set a new password, once. Only the hash of what was mailed is kept. */
@Entity('password_resets')
@Index('password_resets_user', ['userId'])
export class PasswordReset {
  @PrimaryColumn('bytea') hash: Buffer;
  @Column('uuid')
  @ForeignKey(() => User, { name: 'password_resets_user_fk', onDelete: 'CASCADE' })
  userId: string;
  @Column({ type: 'timestamptz', precision: 3 }) expiresAt: Date;
}
