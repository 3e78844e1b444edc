import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateSessions1790000000005 implements MigrationInterface {
  name = 'CreateSessions1790000000005';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE sessions (
        id uuid PRIMARY KEY,
        owner_id uuid NOT NULL,
        type text NOT NULL,
        status text NOT NULL DEFAULT 'open',
        title text,
        agent_id uuid,
        advocate_id uuid,
        external_id text,
        standing boolean NOT NULL DEFAULT false,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT sessions_type CHECK (type IN ('agent', 'peer')),
        CONSTRAINT sessions_status CHECK (status IN ('open', 'closed')),
        CONSTRAINT sessions_conversation_fk FOREIGN KEY (id) REFERENCES conversations (id) ON DELETE CASCADE,
        CONSTRAINT sessions_owner_fk FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE CASCADE,
        CONSTRAINT sessions_agent_fk FOREIGN KEY (agent_id) REFERENCES agents (id) ON DELETE SET NULL,
        CONSTRAINT sessions_advocate_fk FOREIGN KEY (advocate_id) REFERENCES users (id) ON DELETE SET NULL
      )`);
    await runner.query(`CREATE INDEX sessions_owner ON sessions (owner_id, id)`);
    await runner.query(`CREATE INDEX sessions_advocate ON sessions (advocate_id)`);
    await runner.query(`CREATE INDEX sessions_agent ON sessions (agent_id)`);
    await runner.query(`
      CREATE UNIQUE INDEX sessions_external_key ON sessions (owner_id, external_id) WHERE external_id IS NOT NULL`);
    await runner.query(`CREATE UNIQUE INDEX sessions_standing_key ON sessions (owner_id, agent_id) WHERE standing`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM conversations WHERE kind = 'session'`);
    await runner.query(`DROP TABLE sessions`);
  }
}
