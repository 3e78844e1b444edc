import type { Client } from 'pg';

/** What was there before an import loses what that added: rooms at their end, messages their reactions. */
export async function shrinkGrownRooms(client: Client, importId: string): Promise<void> {
  await client.query(GROWN, [importId]);
  await client.query(WRITERS, [importId]);
  await client.query(REACTIONS, [importId]);
  await client.query(
    `DELETE FROM messages m USING imported_ids i, grown
     WHERE i.import_id = $1 AND i.kind = 'message' AND i.conversation_id = grown.id
       AND m.conversation_id = i.conversation_id AND m.id = i.target_id`,
    [importId],
  );
  await client.query(
    `UPDATE conversations c SET last_seq = last_seq - size, last_rev = last_rev - revs,
       floor_rev = least(floor_rev, last_rev - revs),
       last_message_at = (SELECT max(created_at) FROM messages WHERE conversation_id = c.id)
     FROM grown WHERE c.id = grown.id`,
  );
  await client.query(
    `DELETE FROM read_times t USING conversations c JOIN grown ON grown.id = c.id
     WHERE t.conversation_id = c.id AND t.seq > c.last_seq`,
  );
  await client.query(
    `UPDATE sessions s SET active_at = coalesce(c.last_message_at, s.created_at)
     FROM grown JOIN conversations c ON c.id = grown.id WHERE s.id = grown.id`,
  );
  await client.query(
    `UPDATE threads t SET active_at = coalesce(c.last_message_at, t.created_at)
     FROM grown JOIN conversations c ON c.id = grown.id WHERE t.id = grown.id`,
  );
  await client.query(
    `UPDATE imported_ids i SET rev = rev - revs FROM grown
     WHERE i.kind = 'conversation' AND i.target_id = grown.id AND i.scope = grown.scope`,
  );
  await client.query(`DROP TABLE grown`);
}

/** Imports of earlier releases kept no rev from before: each of their messages and forms took one. */
const GROWN = `
  CREATE TEMP TABLE grown ON COMMIT DROP AS
  SELECT c.id, m.scope, count(DISTINCT m.target_id) FILTER (WHERE m.kind = 'message') AS size,
    coalesce(c.last_rev - min(m.rev) FILTER (WHERE m.kind = 'change' AND m.target_id = c.id),
      count(*) FILTER (WHERE m.kind = 'message')) AS revs
  FROM imported_ids m
  JOIN imported_ids room ON room.kind = 'conversation' AND room.target_id = m.conversation_id AND room.scope = m.scope
  JOIN conversations c ON c.id = m.conversation_id
  WHERE m.import_id = $1 AND m.kind IN ('message', 'change') AND (room.import_id <> $1 OR NOT room.made)
  GROUP BY c.id, m.scope, c.last_rev`;

/** Those who take part in a thread since a message of this import, and wrote nothing else there. */
const WRITERS = `
  DELETE FROM thread_participants p USING (
    SELECT m.conversation_id, m.author_id, min(m.created_at) AS since FROM grown
    JOIN imported_ids i ON i.import_id = $1 AND i.kind = 'message' AND i.conversation_id = grown.id
    JOIN messages m ON m.conversation_id = i.conversation_id AND m.id = i.target_id
    GROUP BY 1, 2
  ) wrote
  WHERE p.thread_id = wrote.conversation_id AND p.user_id = wrote.author_id AND p.joined_at = wrote.since
    AND NOT EXISTS (
      SELECT 1 FROM messages m
      WHERE m.conversation_id = p.thread_id AND m.author_id = p.user_id AND NOT EXISTS (
        SELECT 1 FROM imported_ids i WHERE i.import_id = $1 AND i.kind = 'message' AND i.target_id = m.id))`;

const REACTIONS = `
  WITH gone AS (
    DELETE FROM reactions x USING imported_ids i
    WHERE i.import_id = $1 AND i.kind = 'reaction' AND i.made AND x.conversation_id = i.conversation_id
      AND x.message_id = i.target_id AND x.rev = i.rev
    RETURNING x.conversation_id, x.message_id, x.emoji
  )
  UPDATE messages m SET rev = earlier.rev, reactions = (
    SELECT jsonb_agg(jsonb_build_object('emoji', emoji, 'count', rest) ORDER BY nth) FROM (
      SELECT nth, kind ->> 'emoji' AS emoji, (kind ->> 'count')::bigint - (
        SELECT count(*) FROM gone WHERE gone.conversation_id = m.conversation_id AND gone.message_id = m.id
          AND gone.emoji = kind ->> 'emoji') AS rest
      FROM jsonb_array_elements(m.reactions) WITH ORDINALITY AS kinds (kind, nth)
    ) kinds WHERE rest > 0)
  FROM imported_ids earlier
  WHERE earlier.import_id = $1 AND earlier.kind = 'change' AND earlier.target_id <> earlier.conversation_id
    AND m.conversation_id = earlier.conversation_id AND m.id = earlier.target_id`;
