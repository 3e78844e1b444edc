import type { Client } from 'pg';
import { SourceError } from './source.js';

const OTHER_ROOM = 'another conversation was carried before under this id: give this installation a --label';

/**
 * What cannot be carried goes to `refused` with its reason, and the rest gets its place: set by set, so that a million
 * rows cost as much memory here as ten. Leaves `rooms`, those of the source; `sizes`, how much each gets; and
 * `carried`, the new messages, numbered in the order in which they are to be stored.
 */
export async function judge(client: Client, scope: string): Promise<void> {
  await client.query(`CREATE INDEX ON old_rooms (ext)`);
  await client.query(`ANALYZE old_rooms, old_messages, old_revisions`);
  await refuse(
    client,
    'old_rooms',
    `'duplicate id'`,
    `JOIN (SELECT n, row_number() OVER (PARTITION BY ext ORDER BY n) AS nth FROM old_rooms) d ON d.n = o.n AND d.nth > 1`,
  );
  await lockGrowingRooms(client, scope);
  await client.query(ROOMS, [scope]);
  await client.query(`INSERT INTO refused SELECT n, source_table, '${OTHER_ROOM}' FROM rooms WHERE is_other`);
  await client.query(`CREATE UNIQUE INDEX ON rooms (ext)`);
  await client.query(`ANALYZE rooms`);
  await refuseMessages(client, scope);
  await refuseRevisions(client, scope);
  await client.query(CARRIED);
  await client.query(`CREATE INDEX ON carried (place)`);
  await client.query(`ANALYZE carried`);
  await client.query(`
    CREATE TEMP TABLE sizes ON COMMIT DROP AS
    SELECT room AS id, count(*) AS size, sum(1 + forms) AS revs, max(created_at) AS newest FROM carried GROUP BY room`);
}

/** People may be writing in rooms that grow: nobody else may from here on, so that their counters stand. */
async function lockGrowingRooms(client: Client, scope: string): Promise<void> {
  await client.query(
    `SELECT 1 FROM conversations WHERE id IN (
       SELECT k.target_id FROM imported_ids k JOIN old_rooms o ON o.ext = k.external_id
       WHERE k.kind = 'conversation' AND k.scope = $1)
     ORDER BY id FOR NO KEY UPDATE`,
    [scope],
  );
}

/** Throws SourceError where this looks like an installation that was carried under another label. */
export async function mustBeItself(client: Client, system: string, scope: string): Promise<void> {
  const { rows } = await client.query<{ label: string; ext: string }>(
    `SELECT i.label, r.ext FROM rooms r
     JOIN imported_ids k ON k.kind = 'conversation' AND k.external_id = r.ext AND k.scope <> $2
     JOIN imports i ON i.id = k.import_id AND i.source = $1
     WHERE r.is_new AND k.fingerprint = r.fingerprint AND NOT EXISTS (SELECT 1 FROM rooms WHERE NOT is_new) LIMIT 1`,
    [system, scope],
  );
  if (!rows[0]) return;
  throw new SourceError(
    `Conversation ${rows[0].ext} was carried over before, from an installation with the label "${rows[0].label}". ` +
      'Give --label with that to carry what is new, or with another name where this is another installation.',
  );
}

/** Rooms: known from an earlier run, with whose they are by now; or new. */
const ROOMS = `
  CREATE TEMP TABLE rooms ON COMMIT DROP AS
  SELECT o.n, o.source_table, o.ext, coalesce(known.target_id, o.id) AS id, known.target_id IS NULL AS is_new,
    known.target_id IS NOT NULL AND c.id IS NULL AS is_gone,
    coalesce(known.fingerprint <> o.fingerprint, false) AS is_other,
    coalesce(s.owner_id, o.owner) AS owner, coalesce(s.advocate_id, o.advocate) AS advocate,
    coalesce(s.agent_id, o.agent) AS agent, o.server, o.type, o.title, o.topic, o.closed, o.standing, o.position,
    coalesce(o.created, now()) AS created, coalesce(o.updated, o.created, now()) AS updated, o.fingerprint,
    coalesce(c.last_seq, 0) AS last_seq, coalesce(c.last_rev, 0) AS last_rev
  FROM old_rooms o
  LEFT JOIN imported_ids known
    ON known.kind = 'conversation' AND known.external_id = o.ext AND known.scope = $1
  LEFT JOIN conversations c ON c.id = known.target_id
  LEFT JOIN sessions s ON s.id = known.target_id`;

async function refuseMessages(client: Client, scope: string): Promise<void> {
  await refuse(
    client,
    'old_messages',
    `'duplicate id'`,
    `JOIN (
       SELECT n, row_number() OVER (PARTITION BY ext ORDER BY n) AS nth FROM old_messages
       WHERE ext IN (SELECT ext FROM old_messages GROUP BY ext HAVING count(*) > 1)
     ) d ON d.n = o.n AND d.nth > 1`,
  );
  await refuse(
    client,
    'old_messages',
    `'orphaned message: its conversation is missing or was not carried'`,
    `LEFT JOIN rooms r ON r.ext = o.room_ext WHERE r.ext IS NULL`,
  );
  await client.query(
    `CREATE TEMP TABLE known_messages ON COMMIT DROP AS
     SELECT o.n, k.fingerprint <> o.fingerprint AS is_other
     FROM old_messages o
     JOIN imported_ids k ON k.kind = 'message' AND k.external_id = o.ext AND k.scope = $1`,
    [scope],
  );
  await client.query(`ANALYZE known_messages`);
  await refuse(
    client,
    'old_messages',
    `'its id was carried before with another content'`,
    `JOIN known_messages k ON k.n = o.n AND k.is_other`,
  );
  await refuse(
    client,
    'old_messages',
    `CASE WHEN r.is_other THEN '${OTHER_ROOM}'
       ELSE 'its conversation was carried before and has been deleted since' END`,
    `JOIN rooms r ON r.ext = o.room_ext AND (r.is_gone OR r.is_other)
     LEFT JOIN known_messages k ON k.n = o.n WHERE k.n IS NULL`,
  );
}

/** They are known by what they became: a message that is known under their id, or whose form they are. */
async function refuseRevisions(client: Client, scope: string): Promise<void> {
  await refuse(
    client,
    'old_revisions',
    `'duplicate id'`,
    `JOIN (SELECT n, row_number() OVER (PARTITION BY ext ORDER BY n) AS nth FROM old_revisions) d
       ON d.n = o.n AND d.nth > 1`,
  );
  await client.query(
    `CREATE TEMP TABLE known_revisions ON COMMIT DROP AS
     SELECT o.n FROM old_revisions o
     JOIN imported_ids k ON k.kind = 'message' AND k.external_id = o.ext AND k.scope = $1`,
    [scope],
  );
  await refuse(
    client,
    'old_revisions',
    `CASE WHEN k.n IS NULL THEN 'its message is missing or was not carried'
       ELSE 'its message was carried before without it' END`,
    `LEFT JOIN old_messages m ON m.ext = o.message_ext AND m.room_ext = o.room_ext
     LEFT JOIN known_messages k ON k.n = m.n
     WHERE (m.n IS NULL OR k.n IS NOT NULL) AND o.n NOT IN (SELECT n FROM known_revisions)`,
  );
}

async function refuse(client: Client, stage: string, reason: string, which: string): Promise<void> {
  await client.query(
    `WITH found AS (SELECT o.n, o.source_table, ${reason} AS reason FROM ${stage} o ${which}),
       gone AS (DELETE FROM ${stage} o USING found WHERE found.n = o.n)
     INSERT INTO refused SELECT n, source_table, reason FROM found`,
  );
}

/**
 * One sort gives both the order of storing and each message's place in its room. Its earlier forms take a rev each, as
 * if it had been edited so often.
 */
const CARRIED = `
  CREATE TEMP TABLE carried ON COMMIT DROP AS
  SELECT row_number() OVER (ORDER BY r.id, o.place, o.n) AS place, o.source_table, r.id AS room,
    row_number() OVER in_room AS nth, r.last_seq, r.last_rev + sum(1 + coalesce(f.forms, 0)) OVER in_room AS rev,
    coalesce(f.forms, 0) AS forms, o.id, o.ext,
    CASE o.role WHEN 'user' THEN coalesce(o.author, r.owner) WHEN 'peer' THEN coalesce(o.author, r.advocate)
      END AS author_id,
    CASE WHEN o.role = 'agent' THEN r.agent END AS agent_id, o.role, o.content, o.metadata, o.tokens,
    coalesce(o.created, r.created) AS created_at, o.read AS read_at, o.names,
    CASE WHEN o.names IS NOT NULL THEN r.server END AS server,
    CASE WHEN o.names IS NOT NULL THEN ARRAY[r.owner, r.advocate] END AS people, o.fingerprint
  FROM old_messages o
  JOIN rooms r ON r.ext = o.room_ext
  LEFT JOIN (
    SELECT room_ext, message_ext, count(*) AS forms FROM old_revisions
    WHERE n NOT IN (SELECT n FROM known_revisions) GROUP BY 1, 2
  ) f ON f.message_ext = o.ext AND f.room_ext = o.room_ext
  WHERE NOT EXISTS (SELECT 1 FROM known_messages k WHERE k.n = o.n)
  WINDOW in_room AS (PARTITION BY r.id ORDER BY o.place, o.n)`;
