import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateAgents1790000000002 implements MigrationInterface {
  name = 'CreateAgents1790000000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE agents (
        id uuid PRIMARY KEY,
        slug text NOT NULL,
        name text NOT NULL,
        description text NOT NULL DEFAULT '',
        avatar_url text,
        greeting text,
        kind text NOT NULL,
        enabled boolean NOT NULL DEFAULT true,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT agents_kind CHECK (kind IN ('echo', 'webhook', 'openai'))
      )`);
    await runner.query(`CREATE UNIQUE INDEX agents_slug_key ON agents (slug)`);
    await runner.query(`
      INSERT INTO agents (id, slug, name, description, greeting, kind)
      VALUES ('01990000-0000-7000-8000-000000000001', 'echo', 'Echo', 'Says what you said. Needs nothing, for trying things out.',
              'Say something, and hear it again.', 'echo')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE agents`);
  }
}
