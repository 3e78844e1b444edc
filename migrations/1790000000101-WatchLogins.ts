import type { MigrationInterface, QueryRunner } from 'typeorm';

export class WatchLogins1790000000101 implements MigrationInterface {
  name = 'WatchLogins1790000000101';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE logins ADD family_hash bytea`);
    await runner.query(`UPDATE logins SET family_hash = sha256(refresh_hash)`);
    await runner.query(`ALTER TABLE logins ALTER family_hash SET NOT NULL`);
    await runner.query(`CREATE UNIQUE INDEX logins_family_key ON logins (family_hash)`);
    await createTickets(runner);
    await createAudit(runner);
    await createNotices(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TRIGGER users_note_change ON users`);
    await runner.query(`DROP TRIGGER logins_note_deletion ON logins`);
    await runner.query(`DROP TRIGGER logins_note_end ON logins`);
    await runner.query(`DROP FUNCTION note_account_change`);
    await runner.query(`DROP FUNCTION note_login_end`);
    await runner.query(`DROP TABLE account_notices`);
    await runner.query(`DROP TABLE account_events`);
    await runner.query(`DROP TABLE tickets`);
    await runner.query(`DROP INDEX logins_family_key`);
    await runner.query(`ALTER TABLE logins DROP family_hash`);
  }
}

async function createTickets(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE tickets (
      hash bytea PRIMARY KEY,
      login_id uuid NOT NULL,
      token_expires_at timestamptz(3) NOT NULL,
      expires_at timestamptz(3) NOT NULL,
      CONSTRAINT tickets_login_fk FOREIGN KEY (login_id) REFERENCES logins (id) ON DELETE CASCADE
    )`);
  await runner.query(`CREATE INDEX tickets_login ON tickets (login_id)`);
  await runner.query(`CREATE INDEX tickets_expiry ON tickets (expires_at)`);
}

async function createAudit(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE account_events (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL,
      actor_id uuid,
      kind text NOT NULL,
      device text,
      address text,
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      CONSTRAINT account_events_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
      CONSTRAINT account_events_actor_fk FOREIGN KEY (actor_id) REFERENCES users (id) ON DELETE SET NULL
    )`);
  await runner.query(`CREATE INDEX account_events_user ON account_events (user_id, id)`);
  await runner.query(`CREATE INDEX account_events_actor ON account_events (actor_id) WHERE actor_id IS NOT NULL`);
}

/**
 * Whatever ends a login or changes an account, a cascade and a command beside the app included, leaves a notice that
 * every node reads. Without foreign keys: a notice outlives what it is about.
 */
async function createNotices(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE account_notices (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      user_id uuid NOT NULL,
      login_id uuid,
      access_ended boolean NOT NULL DEFAULT false,
      noted_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )`);
  await runner.query(`CREATE INDEX account_notices_time ON account_notices (noted_at)`);
  await runner.query(`
    CREATE FUNCTION note_login_end() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO account_notices (user_id, login_id, access_ended)
      VALUES (OLD.user_id, OLD.id, NOT EXISTS (SELECT 1 FROM users WHERE id = OLD.user_id AND disabled_at IS NULL));
      RETURN NULL;
    END $$`);
  await runner.query(`
    CREATE TRIGGER logins_note_end AFTER UPDATE OF ended_at ON logins
      FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION note_login_end()`);
  await runner.query(`
    CREATE TRIGGER logins_note_deletion AFTER DELETE ON logins
      FOR EACH ROW WHEN (OLD.ended_at IS NULL) EXECUTE FUNCTION note_login_end()`);
  await runner.query(`
    CREATE FUNCTION note_account_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO account_notices (user_id) VALUES (NEW.id);
      RETURN NULL;
    END $$`);
  await runner.query(`
    CREATE TRIGGER users_note_change
      AFTER UPDATE OF username, display_name, avatar_url, kind, is_admin, is_advocate, disabled_at ON users
      FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION note_account_change()`);
}
