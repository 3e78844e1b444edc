import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateReplies1790000000201 implements MigrationInterface {
  name = 'CreateReplies1790000000201';

  async up(runner: QueryRunner): Promise<void> {
    await createReplies(runner);
    await listByActivity(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX sessions_owner ON sessions (owner_id, id)`);
    await runner.query(`CREATE INDEX sessions_advocate ON sessions (advocate_id)`);
    await runner.query(`DROP INDEX sessions_owner_activity`);
    await runner.query(`DROP INDEX sessions_owner_agent_activity`);
    await runner.query(`DROP INDEX sessions_advocate_activity`);
    await runner.query(`ALTER TABLE sessions DROP COLUMN active_at`);
    await runner.query(`DROP TABLE replies`);
  }
}

/** Rows are rewritten while their text grows: half-full pages keep them where they are. */
async function createReplies(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE replies (
      session_id uuid NOT NULL,
      id uuid NOT NULL,
      asked_id uuid NOT NULL,
      replaces_id uuid,
      message_id uuid,
      status text NOT NULL DEFAULT 'waiting',
      attempts integer NOT NULL DEFAULT 0,
      node integer,
      leased_until timestamptz(3),
      stop_requested boolean NOT NULL DEFAULT false,
      text text NOT NULL DEFAULT '',
      error text,
      tokens_used integer NOT NULL DEFAULT 0,
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      started_at timestamptz(3),
      ended_at timestamptz(3),
      PRIMARY KEY (session_id, id),
      CONSTRAINT replies_status CHECK (status IN ('waiting', 'running', 'done', 'failed', 'stopped')),
      CONSTRAINT replies_failed CHECK ((status = 'failed') = (error IS NOT NULL)),
      CONSTRAINT replies_done CHECK (status <> 'done' OR message_id IS NOT NULL),
      CONSTRAINT replies_leased CHECK ((status = 'running') = (leased_until IS NOT NULL)),
      CONSTRAINT replies_session_fk FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE,
      CONSTRAINT replies_asked_fk
        FOREIGN KEY (session_id, asked_id) REFERENCES messages (conversation_id, id) ON DELETE CASCADE,
      CONSTRAINT replies_replaces_fk
        FOREIGN KEY (session_id, replaces_id) REFERENCES messages (conversation_id, id) ON DELETE CASCADE,
      CONSTRAINT replies_message_fk
        FOREIGN KEY (session_id, message_id) REFERENCES messages (conversation_id, id) ON DELETE CASCADE
    ) WITH (fillfactor = 50)`);
  await runner.query(`CREATE UNIQUE INDEX replies_waiting_key ON replies (session_id) WHERE status = 'waiting'`);
  await runner.query(`CREATE UNIQUE INDEX replies_running_key ON replies (session_id) WHERE status = 'running'`);
  await runner.query(`
    CREATE UNIQUE INDEX replies_asked_key ON replies (session_id, asked_id)
      WHERE replaces_id IS NULL AND status IN ('waiting', 'running', 'done')`);
  await runner.query(`CREATE INDEX replies_asked ON replies (session_id, asked_id)`);
  await runner.query(`
    CREATE INDEX replies_replaces ON replies (session_id, replaces_id) WHERE replaces_id IS NOT NULL`);
  await runner.query(`CREATE INDEX replies_message ON replies (session_id, message_id) WHERE message_id IS NOT NULL`);
}

/** One range of an index for each kind of list, whatever else the person has. */
async function listByActivity(runner: QueryRunner): Promise<void> {
  await runner.query(`ALTER TABLE sessions ADD COLUMN active_at timestamptz(3) NOT NULL DEFAULT now()`);
  await runner.query(`
    UPDATE sessions SET active_at = coalesce(room.last_message_at, sessions.created_at)
    FROM conversations room WHERE room.id = sessions.id`);
  await runner.query(`
    CREATE INDEX sessions_owner_activity ON sessions (owner_id, type, status, active_at, id)`);
  await runner.query(`
    CREATE INDEX sessions_owner_agent_activity ON sessions (owner_id, agent_id, status, active_at, id)`);
  await runner.query(`
    CREATE INDEX sessions_advocate_activity ON sessions (advocate_id, status, active_at, id)`);
  await runner.query(`DROP INDEX sessions_owner`);
  await runner.query(`DROP INDEX sessions_advocate`);
}
