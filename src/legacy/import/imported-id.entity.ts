import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Import } from './import.entity.js';

/** A change is no row of the old system: it keeps the rev of a room or message that was there before an import. */
export type ImportedKind =
  'user' | 'agent' | 'server' | 'membership' | 'category' | 'conversation' | 'message' | 'reaction' | 'change';

/** What a row of an old system became. `scope` is made of the system and the label of the installation. */
@Entity('imported_ids')
@Index('imported_ids_import', ['importId', 'kind'])
@Index('imported_ids_target', ['targetId'])
@Check(
  'imported_ids_kind',
  `kind IN ('user', 'agent', 'server', 'membership', 'conversation', 'message', 'category', 'reaction', 'change')`,
)
export class ImportedId {
  @PrimaryColumn('text') kind: ImportedKind;
  @PrimaryColumn('text', { collation: 'C' }) externalId: string;
  @PrimaryColumn('uuid') scope: string;
  @ForeignKey(() => Import, { name: 'imported_ids_import_fk', onDelete: 'CASCADE' })
  @Column('uuid')
  importId: string;
  @Column('uuid') targetId: string;
  /** Of a message, or a reaction to it: its room. Of a category, and a membership, whose target is the person: the server. */
  @Column('uuid', { nullable: true }) conversationId: string | null;
  /** What the row said, so that a second run notices one that has changed. */
  @Column('bigint', { nullable: true }) fingerprint: number | null;
  /**
   * Of a conversation: the rev it has from imports alone; where it is past that, people have been at it. Of a change:
   * the rev from before.
   */
  @Column('bigint', { nullable: true }) rev: number | null;
  /** False where something that was there already was taken for it: a revert leaves that alone. */
  @Column('boolean', { default: true }) made: boolean;
}
