import { Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../users/user.entity.js';

/** One signing-in: a family of refresh tokens, of which the newest is good. */
@Entity('logins')
@Index('logins_user', ['userId'])
@Index('logins_activity', ['lastUsedAt', 'userId'])
@Index('logins_refresh_key', ['refreshHash'], { unique: true })
@Index('logins_family_key', ['familyHash'], { unique: true })
export class Login {
  @PrimaryColumn('uuid') id: string;
  @Column('uuid')
  @ForeignKey(() => User, { name: 'logins_user_fk', onDelete: 'CASCADE' })
  userId: string;
  /** SHA-256 of the part that all refresh tokens of this login share: an old one is known by it. */
  @Column('bytea') familyHash: Buffer;
  /** SHA-256 of the refresh token that is good now. */
  @Column('bytea') refreshHash: Buffer;
  @Column('text', { nullable: true }) device: string | null;
  @Column('text', { nullable: true }) address: string | null;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' }) lastUsedAt: Date;
  @Column({ type: 'timestamptz', precision: 3 }) expiresAt: Date;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) endedAt: Date | null;
}
