import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateUsers1790000000001 implements MigrationInterface {
  name = 'CreateUsers1790000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE users (
        id uuid PRIMARY KEY,
        username text NOT NULL,
        username_key text NOT NULL,
        email text,
        email_key text,
        display_name text NOT NULL,
        avatar_url text,
        kind text NOT NULL DEFAULT 'human',
        password_hash text,
        is_admin boolean NOT NULL DEFAULT false,
        is_advocate boolean NOT NULL DEFAULT false,
        disabled_at timestamptz(3),
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT users_kind CHECK (kind IN ('human', 'guest', 'bot', 'migrated'))
      )`);
    await runner.query(`CREATE UNIQUE INDEX users_username_key ON users (username_key)`);
    await runner.query(`CREATE UNIQUE INDEX users_email_key ON users (email_key)`);
    await runner.query(`
      CREATE TABLE logins (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL,
        refresh_hash bytea NOT NULL,
        device text,
        address text,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        last_used_at timestamptz(3) NOT NULL DEFAULT now(),
        expires_at timestamptz(3) NOT NULL,
        ended_at timestamptz(3),
        CONSTRAINT logins_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE INDEX logins_user ON logins (user_id)`);
    await runner.query(`CREATE UNIQUE INDEX logins_refresh_key ON logins (refresh_hash)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE logins`);
    await runner.query(`DROP TABLE users`);
  }
}
