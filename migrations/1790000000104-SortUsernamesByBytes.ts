import type { MigrationInterface, QueryRunner } from 'typeorm';

/** In the C collation one index serves equality, the search for a beginning (LIKE 'x%') and the order of its pages. */
export class SortUsernamesByBytes1790000000104 implements MigrationInterface {
  name = 'SortUsernamesByBytes1790000000104';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE users ALTER COLUMN username_key TYPE text COLLATE "C"`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE users ALTER COLUMN username_key TYPE text COLLATE "default"`);
  }
}
