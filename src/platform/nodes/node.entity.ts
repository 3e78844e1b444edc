import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A running node, where several share events over Redis. `sent`: how many parcels of events it has made. */
@Entity('nodes')
export class RunningNode {
  @PrimaryColumn('uuid') id: string;
  @Column('bigint') sent: number;
  @Column({ type: 'timestamptz', default: () => 'clock_timestamp()' }) seenAt: Date;
}
