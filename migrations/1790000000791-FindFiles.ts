import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Few messages have files. By itself, so that the table is not locked for two indexes. */
export class FindFiles1790000000791 implements MigrationInterface {
  name = 'FindFiles1790000000791';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX messages_files ON messages (conversation_id, created_at, id) WHERE attachments IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX messages_files`);
  }
}
