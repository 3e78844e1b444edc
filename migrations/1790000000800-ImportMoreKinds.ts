import type { MigrationInterface, QueryRunner } from 'typeorm';

const EARLIER = `'user', 'agent', 'server', 'membership', 'conversation', 'message'`;

export class ImportMoreKinds1790000000800 implements MigrationInterface {
  name = 'ImportMoreKinds1790000000800';

  async up(runner: QueryRunner): Promise<void> {
    await allow(runner, `${EARLIER}, 'category', 'reaction', 'change'`);
  }

  /** An import that made any of these can be taken out again by a newer release only. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM imported_ids WHERE kind NOT IN (${EARLIER})`);
    await allow(runner, EARLIER);
  }
}

async function allow(runner: QueryRunner, kinds: string): Promise<void> {
  await runner.query(`
    ALTER TABLE imported_ids DROP CONSTRAINT imported_ids_kind,
      ADD CONSTRAINT imported_ids_kind CHECK (kind IN (${kinds}))`);
}
