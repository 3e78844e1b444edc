import type { MigrationInterface, QueryRunner } from 'typeorm';

export class GuardServers1790000000301 implements MigrationInterface {
  name = 'GuardServers1790000000301';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE bans (
        server_id uuid NOT NULL,
        user_id uuid NOT NULL,
        banned_by uuid,
        reason text,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        PRIMARY KEY (server_id, user_id),
        CONSTRAINT bans_server_fk FOREIGN KEY (server_id) REFERENCES servers (id) ON DELETE CASCADE,
        CONSTRAINT bans_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
        CONSTRAINT bans_banned_by_fk FOREIGN KEY (banned_by) REFERENCES users (id) ON DELETE SET NULL
      )`);
    await runner.query(`CREATE INDEX bans_user ON bans (user_id)`);
    await runner.query(`CREATE INDEX bans_banned_by ON bans (banned_by) WHERE banned_by IS NOT NULL`);
    await keepMembersAndBansApart(runner);
    await runner.query(`
      CREATE TABLE invites (
        code text PRIMARY KEY,
        server_id uuid NOT NULL,
        created_by uuid,
        max_uses integer,
        uses integer NOT NULL DEFAULT 0,
        expires_at timestamptz(3),
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT invites_uses CHECK (uses >= 0 AND (max_uses IS NULL OR uses <= max_uses)),
        CONSTRAINT invites_server_fk FOREIGN KEY (server_id) REFERENCES servers (id) ON DELETE CASCADE,
        CONSTRAINT invites_created_by_fk FOREIGN KEY (created_by) REFERENCES users (id) ON DELETE SET NULL
      )`);
    await runner.query(`CREATE INDEX invites_server ON invites (server_id, created_at, code)`);
    await runner.query(`CREATE INDEX invites_created_by ON invites (created_by) WHERE created_by IS NOT NULL`);
    await runner.query(`
      CREATE TABLE audit_log (
        id uuid PRIMARY KEY,
        server_id uuid NOT NULL,
        actor_id uuid,
        action text NOT NULL,
        target_id uuid,
        details jsonb,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT audit_log_server_fk FOREIGN KEY (server_id) REFERENCES servers (id) ON DELETE CASCADE,
        CONSTRAINT audit_log_actor_fk FOREIGN KEY (actor_id) REFERENCES users (id) ON DELETE SET NULL
      )`);
    await runner.query(`CREATE INDEX audit_log_server ON audit_log (server_id, id)`);
    await runner.query(`CREATE INDEX audit_log_actor ON audit_log (actor_id) WHERE actor_id IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TRIGGER memberships_not_banned ON memberships`);
    await runner.query(`DROP FUNCTION refuse_banned`);
    await runner.query(`DROP TABLE audit_log`);
    await runner.query(`DROP TABLE invites`);
    await runner.query(`DROP TABLE bans`);
  }
}

/** Whoever adds a member has locked the server's row, as has whoever bans: of the two at once one sees the other. */
async function keepMembersAndBansApart(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE FUNCTION refuse_banned() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM 1 FROM servers WHERE id = NEW.server_id FOR NO KEY UPDATE;
      IF EXISTS (SELECT 1 FROM bans WHERE server_id = NEW.server_id AND user_id = NEW.user_id) THEN
        RAISE EXCEPTION 'this person is banned'
          USING ERRCODE = 'check_violation', CONSTRAINT = 'memberships_not_banned';
      END IF;
      RETURN NEW;
    END $$`);
  await runner.query(`
    CREATE TRIGGER memberships_not_banned BEFORE INSERT ON memberships
      FOR EACH ROW EXECUTE FUNCTION refuse_banned()`);
}
