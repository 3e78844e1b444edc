import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CountTokens1790000000213 implements MigrationInterface {
  name = 'CountTokens1790000000213';

  async up(runner: QueryRunner): Promise<void> {
    await createTable(runner);
    await createTrigger(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TRIGGER replies_usage ON replies`);
    await runner.query(`DROP FUNCTION count_usage`);
    await runner.query(`DROP TABLE token_usage`);
  }
}

/** Stands by itself: what an answer has cost stays known when its session is deleted. */
async function createTable(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE token_usage (
      reply_id uuid PRIMARY KEY,
      user_id uuid NOT NULL,
      agent_id uuid NOT NULL,
      tokens integer NOT NULL,
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      CONSTRAINT token_usage_tokens CHECK (tokens >= 0),
      CONSTRAINT token_usage_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
      CONSTRAINT token_usage_agent_fk FOREIGN KEY (agent_id) REFERENCES agents (id) ON DELETE CASCADE
    )`);
  await runner.query(`CREATE INDEX token_usage_user ON token_usage (user_id, created_at)`);
  await runner.query(`CREATE INDEX token_usage_agent ON token_usage (agent_id, created_at)`);
}

/**
 * In the commit that ends the reply, however it ends. A row for each and no sums: those would be one row that all
 * answers to one person wait for.
 */
async function createTrigger(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE FUNCTION count_usage() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO token_usage (reply_id, user_id, agent_id, tokens)
        SELECT NEW.id, owner_id, agent_id, NEW.tokens_used FROM sessions
        WHERE id = NEW.session_id AND agent_id IS NOT NULL
      ON CONFLICT (reply_id) DO NOTHING;
      RETURN NULL;
    END $$`);
  await runner.query(`
    CREATE TRIGGER replies_usage AFTER UPDATE OF status ON replies FOR EACH ROW
      WHEN (OLD.status = 'running' AND NEW.status IN ('done', 'stopped', 'failed')
        AND (NEW.message_id IS NOT NULL OR NEW.tokens_used > 0))
      EXECUTE FUNCTION count_usage()`);
}
