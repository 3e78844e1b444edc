import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A file without an attachment: one that is being received, or one whose attachment is gone. */
@Entity('stray_files')
@Index('stray_files_remove_after', ['removeAfter'])
export class StrayFile {
  @PrimaryColumn('uuid') id: string;
  @Column({ type: 'timestamptz', precision: 3 }) removeAfter: Date;
}
