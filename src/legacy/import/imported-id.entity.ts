import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Import } from './import.entity.js';

/** What a row of an old system became. `scope` is made of the system and the label of the installation. */
@Entity('imported_ids')
@Index('imported_ids_import', ['importId', 'kind'])
@Check('imported_ids_kind', `kind IN ('user', 'agent', 'server', 'membership', 'conversation', 'message')`)
export class ImportedId {
  @PrimaryColumn('uuid') scope: string;
  @PrimaryColumn('text') kind: string;
  @PrimaryColumn('text', { collation: 'C' }) externalId: string;
  @ForeignKey(() => Import, { name: 'imported_ids_import_fk', onDelete: 'CASCADE' })
  @Column('uuid')
  importId: string;
  @Column('uuid') targetId: string;
  @Column('uuid', { nullable: true }) conversationId: string | null;
  /** Of a message: what it said, so that a second run notices a row that has changed. */
  @Column('bigint', { nullable: true }) fingerprint: number | null;
  /** Of a conversation: the rev it had after the import; a higher one means that people have been at it. */
  @Column('bigint', { nullable: true }) rev: number | null;
  /** False where something that was there already was taken for it: a revert leaves that alone. */
  @Column('boolean', { default: true }) made: boolean;
}
