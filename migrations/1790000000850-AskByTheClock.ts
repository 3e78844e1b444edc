import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A reply is asked for at the moment of the clock: of a send that has waited for a room, `now()` is the time before, and
 * one that was asked for and given meanwhile would stay the latest of its session.
 */
export class AskByTheClock1790000000850 implements MigrationInterface {
  name = 'AskByTheClock1790000000850';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE replies ALTER COLUMN created_at SET DEFAULT clock_timestamp()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE replies ALTER COLUMN created_at SET DEFAULT now()`);
  }
}
