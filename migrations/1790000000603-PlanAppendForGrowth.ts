import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A connection keeps the plan that it made of append_messages. Made while the tables were small, that plan read them
 * from end to end; a new database was slow until its first statistics, the more so the faster it filled.
 */
export class PlanAppendForGrowth1790000000603 implements MigrationInterface {
  name = 'PlanAppendForGrowth1790000000603';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER FUNCTION append_messages(json) SET enable_seqscan = off`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER FUNCTION append_messages(json) RESET enable_seqscan`);
  }
}
