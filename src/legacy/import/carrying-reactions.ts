import type { Client } from 'pg';

/**
 * Stores the new reactions, and what they and new threads change about messages that were here before; the new messages
 * have their counts already. Gives how many reactions.
 */
export async function carryReactions(client: Client, scope: string, importId: string): Promise<number> {
  await client.query(CHANGE_IDS, [scope, importId]);
  await client.query(CHANGES);
  const stored = await client.query(REACTIONS);
  await client.query(REACTION_IDS, [scope, importId]);
  return stored.rowCount ?? 0;
}

/** For the way back. */
const CHANGE_IDS = `
  INSERT INTO imported_ids (kind, external_id, scope, import_id, target_id, conversation_id, rev)
  SELECT 'change', $2 || ' ' || message, $1, $2::uuid, message, room, earlier_rev FROM changed`;

/** Kinds that a message has already stay where they are. */
const CHANGES = `
  UPDATE messages m SET rev = changed.rev, reactions = (
    SELECT jsonb_agg(jsonb_build_object('emoji', emoji, 'count', size) ORDER BY nth, first) FROM (
      SELECT emoji, sum(size) AS size, min(nth) AS nth, min(first) AS first FROM (
        SELECT kind ->> 'emoji' AS emoji, (kind ->> 'count')::bigint AS size, nth, 0 AS first
        FROM jsonb_array_elements(m.reactions) WITH ORDINALITY AS kinds (kind, nth)
        UNION ALL
        SELECT emoji, 1, NULL, n FROM given
        WHERE given.room = changed.room AND given.message = changed.message AND NOT given.is_there
      ) each GROUP BY emoji
    ) kinds)
  FROM changed WHERE m.conversation_id = changed.room AND m.id = changed.message`;

/** Each took a rev of its message, the last ones of those that it has now. */
const REVS = `
  SELECT given.*, CASE WHEN NOT given.is_there THEN coalesce(c.rev, changed.rev)
    - count(*) FILTER (WHERE NOT given.is_there) OVER (PARTITION BY given.room, given.message)
    + row_number() OVER (PARTITION BY given.room, given.message, given.is_there ORDER BY given.n) END AS rev
  FROM given
  LEFT JOIN carried c ON c.n = given.message_n
  LEFT JOIN changed ON given.message_n IS NULL AND changed.room = given.room AND changed.message = given.message`;

const REACTIONS = `
  INSERT INTO reactions (conversation_id, message_id, emoji, rev, user_id, created_at)
  SELECT room, message, emoji, rev, person, created_at FROM (${REVS}) numbered
  WHERE NOT is_there ORDER BY room, rev`;

const REACTION_IDS = `
  INSERT INTO imported_ids (kind, external_id, scope, import_id, target_id, conversation_id, rev, made)
  SELECT 'reaction', ext, $1, $2, message, room, rev, NOT is_there FROM (${REVS}) numbered`;
