import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The bound of the pending lists becomes a setting of the database, which one connection can lift for itself: an import
 * leaves working them off to another. Where the user may not set it, PostgreSQL's own 4 MB hold.
 */
export class SweepSearchBeside1790000000760 implements MigrationInterface {
  name = 'SweepSearchBeside1790000000760';

  async up(runner: QueryRunner): Promise<void> {
    await setting(runner, `SET gin_pending_list_limit = ''1MB''`);
    await runner.query(`ALTER INDEX messages_words RESET (gin_pending_list_limit)`);
    await runner.query(`ALTER INDEX messages_parts RESET (gin_pending_list_limit)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER INDEX messages_parts SET (gin_pending_list_limit = 1024)`);
    await runner.query(`ALTER INDEX messages_words SET (gin_pending_list_limit = 1024)`);
    await setting(runner, `RESET gin_pending_list_limit`);
  }
}

async function setting(runner: QueryRunner, change: string): Promise<void> {
  await runner.query(`
    DO $$ BEGIN EXECUTE format('ALTER DATABASE %I ${change}', current_database());
    EXCEPTION WHEN insufficient_privilege THEN NULL; END $$`);
}
