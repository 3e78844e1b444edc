import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/**
 * Read by every node. Written by triggers: a login or a membership ended, an account or somebody's standing changed; and
 * by commands, which have no other way to tell the nodes what they announce.
 */
@Entity('account_notices')
@Index('account_notices_time', ['notedAt'])
@Index('account_notices_xact', ['xact'])
@Check('account_notices_about', `(user_id IS NULL) = (event IS NOT NULL)`)
export class AccountNotice {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' }) id: number;
  /** None where it is what a command announced. */
  @Column('uuid', { nullable: true }) userId: string | null;
  /** The login that ended; none where the account changed. */
  @Column('uuid', { nullable: true }) loginId: string | null;
  /** The server that was left. */
  @Column('uuid', { nullable: true }) serverId: string | null;
  /** The account is switched off or gone. */
  @Column('boolean', { default: false }) accessEnded: boolean;
  @Column('jsonb', { nullable: true }) event: object | null;
  @Column({ type: 'timestamptz', default: () => 'clock_timestamp()' }) notedAt: Date;
  /** The transaction that wrote it, by which it is found. TypeORM compares the default without its casts to bigint. */
  @Column({ type: 'bigint', nullable: true, default: () => '((pg_current_xact_id()))' }) xact: number | null;
}
