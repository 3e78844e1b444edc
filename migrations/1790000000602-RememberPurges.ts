import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RememberPurges1790000000602 implements MigrationInterface {
  name = 'RememberPurges1790000000602';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE conversations ADD floor_rev bigint NOT NULL DEFAULT 0`);
    await runner.query(`
      CREATE INDEX messages_tombstones ON messages (deleted_at, conversation_id, seq) WHERE deleted_at IS NOT NULL`);
    await runner.query(`CREATE INDEX message_revisions_age ON message_revisions (created_at)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX message_revisions_age`);
    await runner.query(`DROP INDEX messages_tombstones`);
    await runner.query(`ALTER TABLE conversations DROP floor_rev`);
  }
}
