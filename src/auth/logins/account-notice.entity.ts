import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** Written by triggers: a login ended, or an account changed. Read by every node. */
@Entity('account_notices')
@Index('account_notices_time', ['notedAt'])
export class AccountNotice {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' }) id: number;
  @Column('uuid') userId: string;
  /** The login that ended; none where the account changed. */
  @Column('uuid', { nullable: true }) loginId: string | null;
  /** The account is switched off or gone. */
  @Column('boolean', { default: false }) accessEnded: boolean;
  @Column({ type: 'timestamptz', default: () => 'clock_timestamp()' }) notedAt: Date;
}
