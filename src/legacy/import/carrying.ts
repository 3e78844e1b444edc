import type { Client } from 'pg';

/** Puts what was judged good where it belongs. $1 the scope, $2 the import. */
const STATEMENTS: [name: string, sql: string, values: (scope: string, importId: string) => string[]][] = [
  [
    'locks',
    // People may be writing in rooms that grow: their counters are read again under the lock.
    `WITH locked AS (
       SELECT c.id, c.last_seq, c.last_rev FROM conversations c JOIN rooms r ON r.id = c.id
       WHERE NOT r.is_new ORDER BY c.id FOR NO KEY UPDATE OF c)
     UPDATE rooms r SET last_seq = locked.last_seq, last_rev = locked.last_rev FROM locked WHERE locked.id = r.id`,
    () => [],
  ],
  [
    'conversations',
    `INSERT INTO conversations (id, kind, closed, created_at)
     SELECT r.id, CASE WHEN s.server IS NULL THEN 'session' ELSE 'channel' END, s.flag, coalesce(s.created, now())
     FROM rooms r JOIN staged s ON s.is_room AND s.ext = r.ext AND s.reason IS NULL WHERE r.is_new`,
    () => [],
  ],
  [
    'sessions',
    `WITH fresh AS (
       SELECT r.id, s.*, s.place = 1 AND s.other IS NOT NULL AND row_number() OVER (
           PARTITION BY s.person, s.other, s.place ORDER BY s.updated DESC NULLS LAST, s.n) = 1 AS first
       FROM rooms r JOIN staged s ON s.is_room AND s.ext = r.ext AND s.reason IS NULL
       WHERE r.is_new AND s.server IS NULL)
     INSERT INTO sessions (id, owner_id, type, status, title, agent_id, advocate_id, external_id, standing,
       created_at, updated_at)
     SELECT id, person, role, CASE WHEN flag THEN 'closed' ELSE 'open' END, left(body, 200),
       CASE WHEN role = 'agent' THEN other END, CASE WHEN role = 'peer' THEN other END,
       CASE WHEN NOT EXISTS (SELECT 1 FROM sessions o WHERE o.owner_id = person AND o.external_id = fresh.ext)
         THEN ext END,
       first AND role = 'agent' AND NOT EXISTS (
         SELECT 1 FROM sessions o WHERE o.owner_id = person AND o.agent_id = other AND o.standing),
       coalesce(created, now()), coalesce(updated, created, now())
     FROM fresh`,
    () => [],
  ],
  [
    'channels',
    `WITH fresh AS (
       SELECT r.id, s.*, row_number() OVER (PARTITION BY s.server, lower(normalize(body, NFKC)) ORDER BY s.n) AS nth
       FROM rooms r JOIN staged s ON s.is_room AND s.ext = r.ext AND s.reason IS NULL
       WHERE r.is_new AND s.server IS NOT NULL
     ), named AS (
       SELECT fresh.*, CASE WHEN nth > 1 OR EXISTS (
           SELECT 1 FROM channels c WHERE c.server_id = server AND c.name_key = lower(normalize(body, NFKC)))
         THEN body || '-' || left(md5(ext), 8) ELSE body END AS name
       FROM fresh)
     INSERT INTO channels (id, server_id, name, name_key, type, position, topic, created_at)
     SELECT id, server, name, lower(normalize(name, NFKC)), role, place::integer, metadata ->> 'topic',
       coalesce(created, now())
     FROM named`,
    () => [],
  ],
  [
    'messages',
    `INSERT INTO messages (conversation_id, seq, rev, id, author_id, agent_id, role, content, metadata, tokens_used,
       created_at)
     SELECT r.id, r.last_seq + t.nth, r.last_rev + t.nth, t.id,
       CASE s.role WHEN 'user' THEN coalesce(s.person, r.person) WHEN 'peer' THEN coalesce(s.person, r.other) END,
       CASE WHEN s.role = 'agent' AND r.role = 'agent' THEN r.other END,
       s.role, s.body, s.metadata, s.tokens, coalesce(s.created, r.created, now())
     FROM texts t JOIN staged s ON s.n = t.n JOIN rooms r ON r.ext = s.room_ext
     WHERE NOT t.is_known`,
    () => [],
  ],
  [
    'counters',
    `UPDATE conversations c
     SET last_seq = r.last_seq + added.size, last_rev = r.last_rev + added.size,
       last_message_at = greatest(c.last_message_at, added.newest)
     FROM rooms r, (
       SELECT t.room, count(*) AS size, max(coalesce(s.created, r.created, now())) AS newest
       FROM texts t JOIN staged s ON s.n = t.n JOIN rooms r ON r.ext = s.room_ext
       WHERE NOT t.is_known GROUP BY t.room
     ) added
     WHERE c.id = r.id AND added.room = r.id`,
    () => [],
  ],
  [
    'room ids',
    `INSERT INTO imported_ids (scope, kind, external_id, import_id, target_id, rev)
     SELECT $1, 'conversation', r.ext, $2, r.id, c.last_rev FROM rooms r JOIN conversations c ON c.id = r.id
     WHERE r.is_new`,
    (scope, importId) => [scope, importId],
  ],
  [
    'message ids',
    `INSERT INTO imported_ids (scope, kind, external_id, import_id, target_id, conversation_id, fingerprint)
     SELECT $1, 'message', s.ext, $2, t.id, t.room, s.fingerprint FROM texts t JOIN staged s ON s.n = t.n
     WHERE NOT t.is_known`,
    (scope, importId) => [scope, importId],
  ],
];

/** Gives how many rows each statement wrote. */
export async function carry(client: Client, scope: string, importId: string): Promise<Record<string, number>> {
  const written: Record<string, number> = {};
  for (const [name, sql, values] of STATEMENTS) {
    const { rowCount } = await client.query(sql, values(scope, importId));
    if (name !== 'locks') written[name] = rowCount ?? 0;
  }
  return written;
}
