import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ReactToMessages1790000000321 implements MigrationInterface {
  name = 'ReactToMessages1790000000321';

  async up(runner: QueryRunner): Promise<void> {
    // What a page of history shows stands on the message itself, so that reading it counts nothing.
    await runner.query(`
      ALTER TABLE messages
        ADD COLUMN reactions jsonb,
        ADD CONSTRAINT messages_reactions CHECK (jsonb_array_length(reactions) BETWEEN 1 AND 20)`);
    await runner.query(`
      CREATE TABLE reactions (
        conversation_id uuid NOT NULL,
        message_id uuid NOT NULL,
        emoji text NOT NULL,
        rev bigint NOT NULL,
        user_id uuid,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        PRIMARY KEY (conversation_id, message_id, emoji, rev),
        CONSTRAINT reactions_message_fk
          FOREIGN KEY (conversation_id, message_id) REFERENCES messages (conversation_id, id) ON DELETE CASCADE,
        CONSTRAINT reactions_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL
      )`);
    await runner.query(`
      CREATE UNIQUE INDEX reactions_user_key ON reactions (conversation_id, message_id, user_id, emoji)`);
    await runner.query(`CREATE INDEX reactions_user ON reactions (user_id) WHERE user_id IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE reactions`);
    await runner.query(`ALTER TABLE messages DROP COLUMN reactions`);
  }
}
