import type { MigrationInterface, QueryRunner } from 'typeorm';

export class QueueSessions1790000000212 implements MigrationInterface {
  name = 'QueueSessions1790000000212';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE sessions ADD COLUMN queued_at timestamptz(3) NOT NULL DEFAULT now()`);
    await runner.query(`UPDATE sessions SET queued_at = created_at`);
    await runner.query(`
      CREATE INDEX sessions_queue ON sessions (queued_at, id)
        WHERE type = 'peer' AND status = 'open' AND advocate_id IS NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX sessions_queue`);
    await runner.query(`ALTER TABLE sessions DROP COLUMN queued_at`);
  }
}
