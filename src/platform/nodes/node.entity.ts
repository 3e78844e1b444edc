import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * A node, where several share events over Redis. `sent`: how many parcels of events it has made. `ended`: it has stopped
 * in good order, and will send no more.
 */
@Entity('nodes')
export class RunningNode {
  @PrimaryColumn('uuid') id: string;
  @Column('bigint') sent: number;
  @Column({ type: 'timestamptz', default: () => 'clock_timestamp()' }) seenAt: Date;
  @Column({ default: false }) ended: boolean;
}
