import { Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { SecondFactor } from './second-factor.entity.js';

/** Stands in for a TOTP code, once. */
@Entity('recovery_codes')
export class RecoveryCode {
  @PrimaryColumn('uuid')
  @ForeignKey(() => SecondFactor, { name: 'recovery_codes_factor_fk', onDelete: 'CASCADE' })
  userId: string;
  @PrimaryColumn('bytea') hash: Buffer;
}
