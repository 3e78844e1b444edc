import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A command beside the app has no sockets: what it announces is a notice, which the nodes read and tell on. */
export class TellFromCommands1790000000700 implements MigrationInterface {
  name = 'TellFromCommands1790000000700';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE account_notices ADD event jsonb, ALTER user_id DROP NOT NULL`);
    await runner.query(`
      ALTER TABLE account_notices
        ADD CONSTRAINT account_notices_about CHECK ((user_id IS NULL) = (event IS NOT NULL)) NOT VALID`);
    await runner.query(`ALTER TABLE account_notices VALIDATE CONSTRAINT account_notices_about`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE account_notices DROP CONSTRAINT account_notices_about`);
    await runner.query(`DELETE FROM account_notices WHERE user_id IS NULL`);
    await runner.query(`ALTER TABLE account_notices DROP event, ALTER user_id SET NOT NULL`);
  }
}
