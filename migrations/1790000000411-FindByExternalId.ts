import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Advocates and clients of old systems name a session by its external id, not knowing whose it is. */
export class FindByExternalId1790000000411 implements MigrationInterface {
  name = 'FindByExternalId1790000000411';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX sessions_external ON sessions (external_id) WHERE external_id IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX sessions_external`);
  }
}
