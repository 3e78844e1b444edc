import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Login } from '../login.entity.js';

/** Opens one socket, once. Only the hash is kept. */
@Entity('tickets')
@Index('tickets_login', ['loginId'])
@Index('tickets_expiry', ['expiresAt'])
export class Ticket {
  @PrimaryColumn('bytea') hash: Buffer;
  @Column('uuid')
  @ForeignKey(() => Login, { name: 'tickets_login_fk', onDelete: 'CASCADE' })
  loginId: string;
  /** When the access token runs out that the ticket was asked for with: the socket lives no longer. */
  @Column({ type: 'timestamptz', precision: 3 }) tokenExpiresAt: Date;
  @Column({ type: 'timestamptz', precision: 3 }) expiresAt: Date;
}
