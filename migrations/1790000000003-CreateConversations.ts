import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateConversations1790000000003 implements MigrationInterface {
  name = 'CreateConversations1790000000003';

  async up(runner: QueryRunner): Promise<void> {
    // Half-full pages: a counter that moves with every message stays on its page and touches no index.
    await runner.query(`
      CREATE TABLE conversations (
        id uuid PRIMARY KEY,
        kind text NOT NULL,
        last_seq bigint NOT NULL DEFAULT 0,
        last_rev bigint NOT NULL DEFAULT 0,
        cleared_seq bigint NOT NULL DEFAULT 0,
        last_message_at timestamptz(3),
        closed boolean NOT NULL DEFAULT false,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT conversations_kind CHECK (kind IN ('session', 'channel', 'direct', 'thread')),
        CONSTRAINT conversations_counters
          CHECK (0 <= cleared_seq AND cleared_seq <= last_seq AND last_seq <= last_rev)
      ) WITH (fillfactor = 50)`);
    await runner.query(`
      CREATE TABLE read_markers (
        conversation_id uuid NOT NULL,
        user_id uuid NOT NULL,
        seq bigint NOT NULL,
        updated_at timestamptz(3) NOT NULL DEFAULT now(),
        PRIMARY KEY (conversation_id, user_id),
        CONSTRAINT read_markers_conversation_fk
          FOREIGN KEY (conversation_id) REFERENCES conversations (id) ON DELETE CASCADE,
        CONSTRAINT read_markers_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      ) WITH (fillfactor = 80)`);
    await runner.query(`CREATE INDEX read_markers_user ON read_markers (user_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE read_markers`);
    await runner.query(`DROP TABLE conversations`);
  }
}
