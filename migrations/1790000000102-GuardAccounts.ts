import type { MigrationInterface, QueryRunner } from 'typeorm';

export class GuardAccounts1790000000102 implements MigrationInterface {
  name = 'GuardAccounts1790000000102';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE users ADD second_factor_required boolean NOT NULL DEFAULT false`);
    await runner.query(`
      CREATE TABLE password_resets (
        hash bytea PRIMARY KEY,
        user_id uuid NOT NULL,
        expires_at timestamptz(3) NOT NULL,
        CONSTRAINT password_resets_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE INDEX password_resets_user ON password_resets (user_id)`);
    // Not logged: a limit forgotten in a crash harms nobody, and counting must cost little.
    await runner.query(`
      CREATE UNLOGGED TABLE rate_limits (
        key varchar(255) PRIMARY KEY,
        points integer NOT NULL DEFAULT 0,
        expire bigint
      )`);
    await runner.query(`CREATE INDEX rate_limits_expire ON rate_limits (expire)`);
    await createSecondFactor(runner);
    await runner.query(`
      CREATE TABLE credentials (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL,
        provider text NOT NULL,
        label text NOT NULL,
        last4 text NOT NULL,
        key_id text NOT NULL,
        sealed bytea NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT credentials_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE INDEX credentials_user ON credentials (user_id, id)`);
    await runner.query(`CREATE INDEX credentials_key ON credentials (key_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE credentials`);
    await runner.query(`DROP TABLE recovery_codes`);
    await runner.query(`DROP TABLE second_factors`);
    await runner.query(`DROP TABLE rate_limits`);
    await runner.query(`DROP TABLE password_resets`);
    await runner.query(`ALTER TABLE users DROP second_factor_required`);
  }
}

async function createSecondFactor(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE second_factors (
      user_id uuid PRIMARY KEY,
      key_id text NOT NULL,
      sealed bytea NOT NULL,
      last_step bigint NOT NULL DEFAULT 0,
      confirmed_at timestamptz(3),
      CONSTRAINT second_factors_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
    )`);
  await runner.query(`CREATE INDEX second_factors_key ON second_factors (key_id)`);
  await runner.query(`
    CREATE TABLE recovery_codes (
      user_id uuid NOT NULL,
      hash bytea NOT NULL,
      PRIMARY KEY (user_id, hash),
      CONSTRAINT recovery_codes_factor_fk FOREIGN KEY (user_id) REFERENCES second_factors (user_id) ON DELETE CASCADE
    )`);
}
