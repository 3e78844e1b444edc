import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** In the form that rate-limiter-flexible reads and writes; the keys are hashes. */
@Entity('rate_limits')
@Index('rate_limits_expire', ['expire'])
export class RateLimit {
  @PrimaryColumn('varchar', { length: 255 }) key: string;
  @Column('integer', { default: 0 }) points: number;
  @Column('bigint', { nullable: true }) expire: number | null;
}
