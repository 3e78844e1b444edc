import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../../users/user.entity.js';

/** The TOTP secret of a person. It counts once it is confirmed. */
@Entity('second_factors')
@Index('second_factors_key', ['keyId'])
export class SecondFactor {
  @PrimaryColumn('uuid')
  @ForeignKey(() => User, { name: 'second_factors_user_fk', onDelete: 'CASCADE' })
  userId: string;
  @Column('text') keyId: string;
  @Column('bytea') sealed: Buffer;
  /** The time step of the last code that was taken: no code counts twice. */
  @Column('bigint', { default: 0 }) lastStep: number;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) confirmedAt: Date | null;
}
