import type { Client } from 'pg';

/**
 * Finds for each new thread the message that it hangs on: the one that the source says, whether it comes now or is
 * here already, and has no thread yet; else one of the house, which joins the messages of the channel. Leaves `hangs`,
 * with the number of the message where that is new.
 */
export async function hangThreads(client: Client, scope: string): Promise<void> {
  await client.query(HANGS, [scope]);
  await client.query(
    `WITH made AS (
       INSERT INTO old_messages SELECT root.* FROM old_roots root JOIN rooms t ON t.n = root.n AND t.is_new
       WHERE t.id NOT IN (SELECT thread FROM hangs) RETURNING n, id
     )
     INSERT INTO hangs SELECT t.id, t.parent, made.id, made.n FROM made JOIN rooms t ON t.n = made.n`,
  );
}

const HANGS = `
  CREATE TEMP TABLE hangs ON COMMIT DROP AS
  SELECT DISTINCT ON (parent, message) thread, parent, message, message_n
  FROM (
    SELECT t.n, t.id AS thread, t.parent, coalesce(here.id, fresh.id) AS message, fresh.n AS message_n
    FROM rooms t
    LEFT JOIN imported_ids known ON known.kind = 'message' AND known.external_id = t.root_ext AND known.scope = $1
    LEFT JOIN messages here ON here.conversation_id = t.parent AND here.id = known.target_id AND here.deleted_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM threads WHERE parent_id = t.parent AND message_id = here.id)
    LEFT JOIN old_messages fresh
      ON known.target_id IS NULL AND fresh.ext = t.root_ext AND fresh.room_ext = t.parent_ext
    WHERE t.kind = 'thread' AND t.is_new
  ) roots
  WHERE message IS NOT NULL ORDER BY parent, message, n`;
