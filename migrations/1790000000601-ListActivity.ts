import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ListActivity1790000000601 implements MigrationInterface {
  name = 'ListActivity1790000000601';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX logins_activity ON logins (last_used_at, user_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX logins_activity`);
  }
}
