import type { MigrationInterface, QueryRunner } from 'typeorm';

export class TeachAgents1790000000211 implements MigrationInterface {
  name = 'TeachAgents1790000000211';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE agents
        ADD COLUMN system_prompt text,
        ADD COLUMN url text,
        ADD COLUMN model text,
        ADD COLUMN provider text NOT NULL DEFAULT 'openai',
        ADD COLUMN context_tokens integer NOT NULL DEFAULT 8000,
        ADD COLUMN max_tokens integer,
        ADD COLUMN temperature real,
        ADD COLUMN key_id text,
        ADD COLUMN sealed bytea,
        ADD COLUMN deleted_at timestamptz(3)`);
    await runner.query(`UPDATE agents SET enabled = false WHERE kind <> 'echo'`);
    await runner.query(`
      ALTER TABLE agents
        ADD CONSTRAINT agents_sealed CHECK ((key_id IS NULL) = (sealed IS NULL)),
        ADD CONSTRAINT agents_budget CHECK (context_tokens > 0 AND max_tokens > 0),
        ADD CONSTRAINT agents_complete CHECK (NOT enabled OR kind = 'echo' OR (kind = 'webhook' AND url IS NOT NULL)
          OR (kind = 'openai' AND model IS NOT NULL)),
        ADD CONSTRAINT agents_deleted CHECK (deleted_at IS NULL
          OR (NOT enabled AND url IS NULL AND sealed IS NULL AND system_prompt IS NULL))`);
    await runner.query(`DROP INDEX agents_slug_key`);
    await runner.query(`CREATE UNIQUE INDEX agents_slug_key ON agents (slug) WHERE deleted_at IS NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM agents WHERE deleted_at IS NOT NULL`);
    await runner.query(`DROP INDEX agents_slug_key`);
    await runner.query(`CREATE UNIQUE INDEX agents_slug_key ON agents (slug)`);
    await runner.query(`
      ALTER TABLE agents
        DROP COLUMN system_prompt, DROP COLUMN url, DROP COLUMN model, DROP COLUMN provider,
        DROP COLUMN context_tokens, DROP COLUMN max_tokens, DROP COLUMN temperature, DROP COLUMN key_id,
        DROP COLUMN sealed, DROP COLUMN deleted_at`);
  }
}
