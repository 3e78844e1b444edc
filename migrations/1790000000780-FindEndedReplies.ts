import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What has ended just now is found without reading what ended long ago: for a node that was not told. */
export class FindEndedReplies1790000000780 implements MigrationInterface {
  name = 'FindEndedReplies1790000000780';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX replies_ended ON replies (ended_at) WHERE ended_at IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX replies_ended`);
  }
}
