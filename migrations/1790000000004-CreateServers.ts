import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateServers1790000000004 implements MigrationInterface {
  name = 'CreateServers1790000000004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE servers (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        icon_url text,
        created_by uuid,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT servers_created_by_fk FOREIGN KEY (created_by) REFERENCES users (id) ON DELETE SET NULL
      )`);
    await runner.query(`CREATE INDEX servers_created_by ON servers (created_by)`);
    await createCategoriesAndChannels(runner);
    await createMemberships(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE memberships`);
    await runner.query(`DROP FUNCTION keep_an_admin`);
    await runner.query(`DELETE FROM conversations WHERE kind = 'channel'`);
    await runner.query(`DROP TABLE channels`);
    await runner.query(`DROP TABLE categories`);
    await runner.query(`DROP TABLE servers`);
  }
}

async function createCategoriesAndChannels(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE categories (
      id uuid PRIMARY KEY,
      server_id uuid NOT NULL,
      name text NOT NULL,
      name_key text NOT NULL,
      position integer NOT NULL,
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      CONSTRAINT categories_server_fk FOREIGN KEY (server_id) REFERENCES servers (id) ON DELETE CASCADE
    )`);
  await runner.query(`CREATE UNIQUE INDEX categories_name_key ON categories (server_id, name_key)`);
  await runner.query(`
    CREATE TABLE channels (
      id uuid PRIMARY KEY,
      server_id uuid NOT NULL,
      category_id uuid,
      name text NOT NULL,
      name_key text NOT NULL,
      type text NOT NULL,
      position integer NOT NULL,
      topic text,
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      CONSTRAINT channels_type CHECK (type IN ('TEXT', 'VOICE')),
      CONSTRAINT channels_conversation_fk FOREIGN KEY (id) REFERENCES conversations (id) ON DELETE CASCADE,
      CONSTRAINT channels_server_fk FOREIGN KEY (server_id) REFERENCES servers (id) ON DELETE CASCADE,
      CONSTRAINT channels_category_fk FOREIGN KEY (category_id) REFERENCES categories (id) ON DELETE SET NULL
    )`);
  await runner.query(`CREATE INDEX channels_server ON channels (server_id, position, id)`);
  await runner.query(`CREATE UNIQUE INDEX channels_name_key ON channels (server_id, name_key)`);
  await runner.query(`CREATE INDEX channels_category ON channels (category_id)`);
}

async function createMemberships(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE memberships (
      server_id uuid NOT NULL,
      user_id uuid NOT NULL,
      role text NOT NULL,
      joined_at timestamptz(3) NOT NULL DEFAULT now(),
      PRIMARY KEY (server_id, user_id),
      CONSTRAINT memberships_role CHECK (role IN ('ADMIN', 'MODERATOR', 'MEMBER')),
      CONSTRAINT memberships_server_fk FOREIGN KEY (server_id) REFERENCES servers (id) ON DELETE CASCADE,
      CONSTRAINT memberships_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
    )`);
  await runner.query(`CREATE INDEX memberships_user ON memberships (user_id)`);

  // A server keeps at least one ADMIN. The lock on the server's row makes two who leave at once take turns.
  await runner.query(`
    CREATE FUNCTION keep_an_admin() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM 1 FROM servers WHERE id = OLD.server_id FOR NO KEY UPDATE;
      IF FOUND AND NOT EXISTS (
        SELECT 1 FROM memberships WHERE server_id = OLD.server_id AND role = 'ADMIN'
      ) THEN
        RAISE EXCEPTION 'a server keeps at least one ADMIN'
          USING ERRCODE = 'check_violation', CONSTRAINT = 'memberships_last_admin';
      END IF;
      RETURN NULL;
    END $$`);
  await runner.query(`
    CREATE TRIGGER memberships_last_admin
      AFTER DELETE OR UPDATE OF role ON memberships
      FOR EACH ROW WHEN (OLD.role = 'ADMIN') EXECUTE FUNCTION keep_an_admin()`);
}
