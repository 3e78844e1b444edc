import type { MigrationInterface, QueryRunner } from 'typeorm';

export class PinMessages1790000000322 implements MigrationInterface {
  name = 'PinMessages1790000000322';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE messages ADD COLUMN pinned_at timestamptz(3)`);
    await runner.query(`
      CREATE INDEX messages_pinned ON messages (conversation_id, pinned_at, seq) WHERE pinned_at IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE messages DROP COLUMN pinned_at`);
  }
}
