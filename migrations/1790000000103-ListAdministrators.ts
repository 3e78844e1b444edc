import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ListAdministrators1790000000103 implements MigrationInterface {
  name = 'ListAdministrators1790000000103';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX users_admins ON users (id) WHERE is_admin`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX users_admins`);
  }
}
