import type { Client } from 'pg';

/**
 * One conversation, in the source and in the target. The checksum covers roles, texts, tokens, times and order, and what
 * messages have beside these: edits, pins, what they reply to, and how many reacted with what.
 */
export interface Comparison {
  conversation: string;
  sourceCount: number;
  targetCount: number;
  sourceChecksum: string;
  targetChecksum: string;
  matches: boolean;
}

/** Source and target do not agree: nothing of the import stays. */
export class MismatchError extends Error {
  constructor(
    message: string,
    readonly conversations: Comparison[] = [],
  ) {
    super(message);
  }
}

/** The fingerprint of values.ts, computed anew from what is stored. */
const STORED = `('x' || left(md5(concat_ws(E'\\x1f', m.role, coalesce(m.tokens_used::text, ''), m.content)), 15))
  ::bit(60)::bigint`;

/** What few messages have. */
const BESIDE = (m: string) => `
  CASE WHEN num_nonnulls(${m}.edited_at, ${m}.reply_to_id, ${m}.pinned_at, ${m}.reactions) = 0 THEN 0
    ELSE hashtextextended(jsonb_build_array(extract(epoch FROM ${m}.edited_at), ${m}.reply_to_id,
      extract(epoch FROM ${m}.pinned_at), ${m}.reactions)::text, 0) END`;

/** Each hash begins from the one before: they are whole numbers, with which the database is quick. */
const WEIGHED = (mark: string, m: string, place: string) =>
  `sum(hashint8extended(${place}, hashint8extended(${mark}, timestamp_hash_extended(${m}.created_at::timestamp, ${BESIDE(m)}))))`;

/**
 * Compares what was read with what is now stored, for every conversation that is new or got something. Throws
 * MismatchError with those that differ.
 */
export async function verify(client: Client): Promise<Comparison[]> {
  await mustBeOwned(client);
  await mustHang(client);
  const { rows } = await client.query<Comparison>(
    `WITH source AS (
       SELECT room, count(*) AS size, ${WEIGHED('c.stored', 'c', 'c.nth')} AS total
       FROM carried c GROUP BY 1
     ), target AS (
       SELECT m.conversation_id AS room, count(*) AS size,
         ${WEIGHED(STORED, 'm', '(m.seq - c.last_seq)')} AS total
       FROM carried c
       JOIN messages m ON m.conversation_id = c.room AND m.seq = c.last_seq + c.nth AND m.id = c.id
       GROUP BY 1
     )
     SELECT r.ext AS conversation, coalesce(source.size, 0)::integer AS "sourceCount",
       coalesce(target.size, 0)::integer AS "targetCount",
       left(md5(coalesce(source.total, 0)::text), 12) AS "sourceChecksum",
       left(md5(coalesce(target.total, 0)::text), 12) AS "targetChecksum",
       coalesce(source.size, 0) = coalesce(target.size, 0)
         AND coalesce(source.total, 0) = coalesce(target.total, 0) AS matches
     FROM rooms r LEFT JOIN source ON source.room = r.id LEFT JOIN target ON target.room = r.id
     WHERE r.is_new OR source.size > 0 ORDER BY r.n`,
  );
  const different = rows.filter(({ matches }) => !matches);
  if (different.length === 0) return rows;
  throw new MismatchError('Source and target differ: nothing was carried over.', different);
}

/** Throws MismatchError where something that came in is nobody's. */
async function mustBeOwned(client: Client): Promise<void> {
  const { rows } = await client.query<{ sessions: string; messages: string }>(
    `SELECT
       (SELECT count(*) FROM rooms r LEFT JOIN sessions s ON s.id = r.id AND s.owner_id IS NOT NULL
        WHERE r.is_new AND r.kind = 'session' AND s.id IS NULL) AS sessions,
       (SELECT count(*) FROM carried c WHERE c.role = 'user' AND c.author_id IS NULL) AS messages`,
  );
  const { sessions, messages } = rows[0] ?? {};
  if (Number(sessions) + Number(messages) === 0) return;
  throw new MismatchError(`${sessions} sessions and ${messages} messages have no owner: nothing was carried over.`);
}

/** Throws MismatchError where something does not hang together: threads and their messages, reactions and their counts. */
async function mustHang(client: Client): Promise<void> {
  const { rows } = await client.query<{ threads: string; reactions: string; counts: string; people: string }>(
    `SELECT
       (SELECT count(*) FROM rooms r LEFT JOIN threads t ON t.id = r.id AND t.parent_id = r.parent
        WHERE r.is_new AND r.kind = 'thread' AND t.id IS NULL) AS threads,
       (SELECT count(*) FROM given g LEFT JOIN reactions x ON x.conversation_id = g.room
          AND x.message_id = g.message AND x.user_id = g.person AND x.emoji = g.emoji
        WHERE x.rev IS NULL) AS reactions,
       (SELECT count(*) FROM (SELECT DISTINCT room, message FROM given) g
        JOIN messages m ON m.conversation_id = g.room AND m.id = g.message
        WHERE (SELECT sum((kind ->> 'count')::integer) FROM jsonb_array_elements(m.reactions) kind) IS DISTINCT FROM
          (SELECT count(*) FROM reactions x WHERE x.conversation_id = g.room AND x.message_id = g.message)) AS counts,
       (SELECT count(*) FROM rooms r WHERE r.is_new AND r.kind = 'direct' AND cardinality(r.people) <>
          (SELECT count(*) FROM direct_participants p WHERE p.direct_id = r.id)) AS people`,
  );
  const { threads, reactions, counts, people } = rows[0] ?? {};
  if (Number(threads) + Number(reactions) + Number(counts) + Number(people) === 0) return;
  throw new MismatchError(
    `${threads} threads hang on nothing, ${reactions} reactions are missing, ${counts} messages count theirs wrongly and ` +
      `${people} direct conversations lack people: nothing was carried over.`,
  );
}
