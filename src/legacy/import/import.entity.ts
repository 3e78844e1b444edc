import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';

/** One carrying over of old data. It lives as long as what it made can be taken out again. */
@Entity('imports')
@Index('imports_migration_key', ['migration'], { unique: true, where: 'migration IS NOT NULL' })
export class Import {
  @PrimaryColumn('uuid') id: string;
  /** The system, as `--from` names it. */
  @Column('text') source: string;
  /** Tells installations of the same system apart, whose ids may be the same. */
  @Column('text') label: string;
  @Column('text') location: string;
  /** The migration that it was run as, if it was. */
  @Column('text', { nullable: true }) migration: string | null;
  @Column('jsonb') report: Record<string, unknown>;
  @CreateDateColumn({ type: 'timestamptz', precision: 3 }) createdAt: Date;
}
