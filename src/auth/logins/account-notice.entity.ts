import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** Written by triggers: a login or a membership ended, or an account changed. Read by every node. */
@Entity('account_notices')
@Index('account_notices_time', ['notedAt'])
export class AccountNotice {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' }) id: number;
  @Column('uuid') userId: string;
  /** The login that ended; none where the account changed. */
  @Column('uuid', { nullable: true }) loginId: string | null;
  /** The server that was left. */
  @Column('uuid', { nullable: true }) serverId: string | null;
  /** The account is switched off or gone. */
  @Column('boolean', { default: false }) accessEnded: boolean;
  @Column({ type: 'timestamptz', default: () => 'clock_timestamp()' }) notedAt: Date;
}
