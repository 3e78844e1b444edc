import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AttachFiles1790000000342 implements MigrationInterface {
  name = 'AttachFiles1790000000342';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE attachments (
        id uuid PRIMARY KEY,
        uploader_id uuid,
        conversation_id uuid,
        message_id uuid,
        name text NOT NULL,
        type text NOT NULL,
        size bigint NOT NULL,
        width integer,
        height integer,
        thumbnail boolean NOT NULL DEFAULT false,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT attachments_size CHECK (size >= 0),
        CONSTRAINT attachments_place CHECK ((conversation_id IS NULL) = (message_id IS NULL)),
        CONSTRAINT attachments_uploader_fk FOREIGN KEY (uploader_id) REFERENCES users (id) ON DELETE SET NULL,
        CONSTRAINT attachments_message_fk FOREIGN KEY (conversation_id, message_id)
          REFERENCES messages (conversation_id, id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE INDEX attachments_message ON attachments (conversation_id, message_id)`);
    await runner.query(`CREATE INDEX attachments_uploader ON attachments (uploader_id)`);
    await runner.query(`CREATE INDEX attachments_loose ON attachments (created_at) WHERE message_id IS NULL`);
    await runner.query(`ALTER TABLE messages ADD COLUMN attachments jsonb`);
    await keepStrayFiles(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE messages DROP COLUMN attachments`);
    await runner.query(`DROP TABLE attachments`);
    await runner.query(`DROP FUNCTION stray_files_of_attachments`);
    await runner.query(`DROP TABLE stray_files`);
  }
}

/**
 * Files that no attachment has any more, or does not have yet. A file is named here before its first byte is
 * written, and whichever way an attachment goes its file comes back here: so that none is ever forgotten on the disk.
 */
async function keepStrayFiles(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE stray_files (
      id uuid PRIMARY KEY,
      remove_after timestamptz(3) NOT NULL
    )`);
  await runner.query(`CREATE INDEX stray_files_remove_after ON stray_files (remove_after)`);
  await runner.query(`
    CREATE FUNCTION stray_files_of_attachments() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO stray_files (id, remove_after) SELECT id, now() FROM gone;
      RETURN NULL;
    END $$`);
  await runner.query(`
    CREATE TRIGGER attachments_leave_files AFTER DELETE ON attachments
      REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION stray_files_of_attachments()`);
}
