import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Nodes remember what people may do for as long as they read, several times a second, that nobody's standing has changed.
 * What ends a membership is noted already; this notes the rest. Notices are found by the transaction that wrote them: a
 * time would be older than the commit, by however long the transaction took.
 */
export class NoteStandings1790000000810 implements MigrationInterface {
  name = 'NoteStandings1790000000810';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE account_notices ADD xact bigint`);
    await runner.query(`ALTER TABLE account_notices ALTER xact SET DEFAULT pg_current_xact_id()::text::bigint`);
    await runner.query(`CREATE INDEX account_notices_xact ON account_notices (xact)`);
    await runner.query(`
      CREATE FUNCTION note_standing() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO account_notices (event) VALUES (jsonb_build_object(
          'type', 'standing.noted', 'audience', '[]'::jsonb,
          'data', jsonb_build_object('scope', TG_ARGV[0] || ':' || (to_jsonb(NEW) ->> TG_ARGV[1]))));
        RETURN NULL;
      END $$`);
    await runner.query(`
      CREATE TRIGGER memberships_note_role AFTER UPDATE OF role ON memberships
        FOR EACH ROW WHEN (OLD.role IS DISTINCT FROM NEW.role) EXECUTE FUNCTION note_standing('server', 'server_id')`);
    await runner.query(`
      CREATE TRIGGER sessions_note_people AFTER UPDATE OF owner_id, advocate_id, agent_id ON sessions
        FOR EACH ROW WHEN (OLD.owner_id IS DISTINCT FROM NEW.owner_id OR OLD.advocate_id IS DISTINCT FROM NEW.advocate_id
          OR OLD.agent_id IS DISTINCT FROM NEW.agent_id) EXECUTE FUNCTION note_standing('conversation', 'id')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TRIGGER sessions_note_people ON sessions`);
    await runner.query(`DROP TRIGGER memberships_note_role ON memberships`);
    await runner.query(`DROP FUNCTION note_standing`);
    await runner.query(`DROP INDEX account_notices_xact`);
    await runner.query(`ALTER TABLE account_notices DROP xact`);
  }
}
