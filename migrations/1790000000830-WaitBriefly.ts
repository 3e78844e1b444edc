import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A send that finds its room locked gives up after two seconds: the others of its batch wait with it, and who was let in
 * to write may have been removed since. The latest reply of a session is found by when it was asked for, and not by its
 * id, in which a node's clock stands. And a node that stops leaves word of how much it has said, so that the others see
 * whether they have heard it all.
 */
export class WaitBriefly1790000000830 implements MigrationInterface {
  name = 'WaitBriefly1790000000830';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER FUNCTION append_messages(json) SET lock_timeout = '2s'`);
    await runner.query(`CREATE INDEX replies_latest ON replies (session_id, created_at, id)`);
    await runner.query(`ALTER TABLE nodes ADD ended boolean NOT NULL DEFAULT false`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE nodes DROP ended`);
    await runner.query(`DROP INDEX replies_latest`);
    await runner.query(`ALTER FUNCTION append_messages(json) RESET lock_timeout`);
  }
}
