import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Several nodes: who runs, and notices of memberships that ended, which hold whether or not Redis does. */
export class ShareNodes1790000000105 implements MigrationInterface {
  name = 'ShareNodes1790000000105';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE nodes (
        id uuid PRIMARY KEY,
        sent bigint NOT NULL,
        seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
      )`);
    await runner.query(`ALTER TABLE account_notices ADD server_id uuid`);
    await runner.query(`
      CREATE FUNCTION note_membership_end() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO account_notices (user_id, server_id) SELECT user_id, server_id FROM gone;
        RETURN NULL;
      END $$`);
    await runner.query(`
      CREATE TRIGGER memberships_note_end AFTER DELETE ON memberships
        REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION note_membership_end()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TRIGGER memberships_note_end ON memberships`);
    await runner.query(`DROP FUNCTION note_membership_end`);
    await runner.query(`DELETE FROM account_notices WHERE server_id IS NOT NULL`);
    await runner.query(`ALTER TABLE account_notices DROP server_id`);
    await runner.query(`DROP TABLE nodes`);
  }
}
