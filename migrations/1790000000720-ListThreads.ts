import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ListThreads1790000000720 implements MigrationInterface {
  name = 'ListThreads1790000000720';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE threads ADD COLUMN active_at timestamptz(3) NOT NULL DEFAULT now()`);
    await runner.query(`
      UPDATE threads SET active_at = coalesce(c.last_message_at, threads.created_at)
      FROM conversations c WHERE c.id = threads.id`);
    await runner.query(`CREATE INDEX threads_activity ON threads (parent_id, active_at, id)`);
    await runner.query(`
      CREATE FUNCTION keep_thread_activity() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        UPDATE threads SET active_at = NEW.last_message_at WHERE id = NEW.id;
        RETURN NULL;
      END $$`);
    await runner.query(`
      CREATE TRIGGER conversations_thread_activity
        AFTER UPDATE OF last_message_at ON conversations
        FOR EACH ROW WHEN (NEW.kind = 'thread' AND NEW.last_message_at IS NOT NULL)
        EXECUTE FUNCTION keep_thread_activity()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TRIGGER conversations_thread_activity ON conversations`);
    await runner.query(`DROP FUNCTION keep_thread_activity`);
    await runner.query(`ALTER TABLE threads DROP COLUMN active_at`);
  }
}
