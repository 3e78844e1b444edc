import { Check, Column, CreateDateColumn, Entity, Index, PrimaryColumn, UpdateDateColumn } from 'typeorm';

export type UserKind = 'human' | 'guest' | 'bot' | 'migrated';

@Entity('users')
@Index('users_username_key', ['usernameKey'], { unique: true })
@Index('users_email_key', ['emailKey'], { unique: true })
@Index('users_admins', ['id'], { where: 'is_admin' })
@Check('users_kind', `kind IN ('human', 'guest', 'bot', 'migrated')`)
export class User {
  @PrimaryColumn('uuid') id: string;
  @Column('text') username: string;
  /** NFKC, lower case: what must be unique. */
  @Column({ type: 'text', collation: 'C' }) usernameKey: string;
  @Column('text', { nullable: true }) email: string | null;
  @Column('text', { nullable: true }) emailKey: string | null;
  @Column('text') displayName: string;
  @Column('text', { nullable: true }) avatarUrl: string | null;
  @Column('text', { default: 'human' }) kind: UserKind;
  /** A PHC string (`$argon2id$...`); none for those who cannot sign in with a password. */
  @Column('text', { nullable: true }) passwordHash: string | null;
  @Column('boolean', { default: false }) isAdmin: boolean;
  @Column('boolean', { default: false }) isAdvocate: boolean;
  /** Somebody without a second factor can do nothing but set one up. */
  @Column('boolean', { default: false }) secondFactorRequired: boolean;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) disabledAt: Date | null;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
  @UpdateDateColumn({ type: 'timestamptz', precision: 3 }) updatedAt: Date;
}
