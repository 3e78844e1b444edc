import type { Client } from 'pg';

/** One conversation, in the source and in the target. The checksum covers roles, texts, tokens, times and order. */
export interface Comparison {
  conversation: string;
  sourceCount: number;
  targetCount: number;
  sourceChecksum: string;
  targetChecksum: string;
  matches: boolean;
}

/** The fingerprint of values.ts, computed anew from what is stored. */
const STORED = `('x' || left(md5(concat_ws(E'\\x1f', m.role,
  CASE WHEN s.created IS NULL THEN '' ELSE (extract(epoch FROM m.created_at) * 1000)::bigint::text END,
  coalesce(m.tokens_used::text, ''), m.content)), 15))::bit(60)::bigint`;

/** Compares what was read with what is now stored, for every conversation that got something. */
export async function verify(client: Client): Promise<Comparison[]> {
  const { rows } = await client.query<Comparison>(
    `WITH source AS (
       SELECT s.room_ext AS ext, count(*) AS size, sum(s.fingerprint::numeric * t.nth) AS total
       FROM texts t JOIN staged s ON s.n = t.n WHERE NOT t.is_known GROUP BY 1
     ), target AS (
       SELECT r.ext, count(*) AS size, sum(${STORED}::numeric * (m.seq - r.last_seq)) AS total
       FROM texts t
       JOIN staged s ON s.n = t.n
       JOIN rooms r ON r.ext = s.room_ext
       JOIN messages m ON m.conversation_id = t.room AND m.id = t.id
       WHERE NOT t.is_known GROUP BY 1
     )
     SELECT source.ext AS conversation, source.size::integer AS "sourceCount",
       coalesce(target.size, 0)::integer AS "targetCount", left(md5(source.total::text), 12) AS "sourceChecksum",
       coalesce(left(md5(target.total::text), 12), 'none') AS "targetChecksum",
       source.size = target.size AND source.total = target.total IS TRUE AS matches
     FROM source LEFT JOIN target ON target.ext = source.ext ORDER BY 1`,
  );
  return rows;
}
