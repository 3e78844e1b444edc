import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OpenThreads1790000000323 implements MigrationInterface {
  name = 'OpenThreads1790000000323';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE threads (
        id uuid PRIMARY KEY,
        parent_id uuid NOT NULL,
        message_id uuid NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT threads_conversation_fk FOREIGN KEY (id) REFERENCES conversations (id) ON DELETE CASCADE,
        CONSTRAINT threads_message_fk
          FOREIGN KEY (parent_id, message_id) REFERENCES messages (conversation_id, id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE UNIQUE INDEX threads_message_key ON threads (parent_id, message_id)`);
    await runner.query(`
      CREATE TABLE thread_participants (
        thread_id uuid NOT NULL,
        user_id uuid NOT NULL,
        joined_at timestamptz(3) NOT NULL DEFAULT now(),
        PRIMARY KEY (thread_id, user_id),
        CONSTRAINT thread_participants_thread_fk FOREIGN KEY (thread_id) REFERENCES threads (id) ON DELETE CASCADE,
        CONSTRAINT thread_participants_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE INDEX thread_participants_user ON thread_participants (user_id)`);
    await followTheParent(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TRIGGER conversations_close_threads ON conversations`);
    await runner.query(`DROP TABLE thread_participants`);
    await runner.query(`DROP TABLE threads`);
    await runner.query(`DROP FUNCTION close_threads`);
    await runner.query(`DROP FUNCTION delete_thread_conversation`);
    await runner.query(`DELETE FROM conversations WHERE kind = 'thread'`);
  }
}

/** A thread goes with the message that it hangs on, whatever deletes that, and opens and closes with its room. */
async function followTheParent(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE FUNCTION delete_thread_conversation() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      DELETE FROM conversations WHERE id = OLD.id;
      RETURN NULL;
    END $$`);
  await runner.query(`
    CREATE TRIGGER threads_conversation
      AFTER DELETE ON threads FOR EACH ROW EXECUTE FUNCTION delete_thread_conversation()`);
  await runner.query(`
    CREATE FUNCTION close_threads() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE conversations SET closed = NEW.closed WHERE id IN (SELECT id FROM threads WHERE parent_id = NEW.id);
      RETURN NULL;
    END $$`);
  await runner.query(`
    CREATE TRIGGER conversations_close_threads
      AFTER UPDATE OF closed ON conversations
      FOR EACH ROW WHEN (OLD.closed <> NEW.closed) EXECUTE FUNCTION close_threads()`);
}
