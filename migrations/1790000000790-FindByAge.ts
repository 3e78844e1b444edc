import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * When what stands in which pages was said: a search leaves out with it what is older than it need look. Messages are
 * appended, so a few kilobytes say that; several ranges each, since what is edited moves among what is new.
 */
export class FindByAge1790000000790 implements MigrationInterface {
  name = 'FindByAge1790000000790';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX messages_age ON messages USING brin (created_at timestamptz_minmax_multi_ops)
        WITH (pages_per_range = 32, autosummarize = on)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX messages_age`);
  }
}
