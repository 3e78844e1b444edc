import { Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../user.entity.js';

/** Somebody's key at a provider, encrypted. */
@Entity('credentials')
@Index('credentials_user', ['userId', 'id'])
@Index('credentials_key', ['keyId'])
export class Credential {
  @PrimaryColumn('uuid') id: string;
  @Column('uuid')
  @ForeignKey(() => User, { name: 'credentials_user_fk', onDelete: 'CASCADE' })
  userId: string;
  @Column('text') provider: string;
  @Column('text') label: string;
  @Column('text') last4: string;
  /** Which ENCRYPTION_KEY it is sealed with. */
  @Column('text') keyId: string;
  @Column('bytea') sealed: Buffer;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
}
