import type { Client } from 'pg';
import { judgeReactions } from './judging-reactions.js';
import { peopleKey } from './people-key.js';
import { place } from './placing.js';
import { refuse, refuseMessages, refuseRevisions, refuseTwice } from './refusing.js';
import { hangThreads } from './roots.js';
import type { Notes } from './row.js';
import { SourceError } from './source.js';

const MOVED =
  'it was carried before as another kind of conversation, or of another server: others would see what is new';
const OTHER_ROOM = 'another conversation was carried before under this id: give this installation a --label';

/**
 * What cannot be carried goes to `refused` with its reason, and the rest gets its place: set by set, so that a million
 * rows cost as much memory here as ten. Leaves `rooms`, those of the source; `hangs`, the message that each new thread
 * hangs on; `given`, the new reactions; `carried`, the new messages, numbered in the order in which they are to be
 * stored; `changed`, what was there before and changes by these; and `sizes`, how much each room gets.
 */
export async function judge(client: Client, scope: string, notes: Notes): Promise<void> {
  await client.query(`CREATE INDEX ON old_rooms (ext)`);
  await client.query(`ANALYZE old_rooms, old_messages, old_revisions, old_reactions`);
  await refuseRooms(client);
  await lockGrowingRooms(client, scope);
  await client.query(ROOMS, [scope]);
  await client.query(`INSERT INTO refused SELECT n, source_table, refusal FROM rooms WHERE refusal IS NOT NULL`);
  await client.query(`CREATE UNIQUE INDEX ON rooms (ext)`);
  await client.query(`ANALYZE rooms`);
  await refuseMessages(client, scope);
  await refuseRevisions(client, scope);
  await hangThreads(client, scope);
  await judgeReactions(client, scope);
  await place(client, scope, notes);
}

async function refuseRooms(client: Client): Promise<void> {
  await refuseTwice(client, 'old_rooms');
  await refuse(
    client,
    'old_rooms',
    `'these people have another direct conversation in the source'`,
    `JOIN (
       SELECT n, row_number() OVER (PARTITION BY people ORDER BY n) AS nth FROM old_rooms WHERE kind = 'direct'
     ) d ON d.n = o.n AND d.nth > 1`,
  );
  await refuse(
    client,
    'old_rooms',
    `'its channel is missing or was not carried'`,
    `LEFT JOIN old_rooms parent ON parent.ext = o.parent_ext AND parent.kind <> 'thread'
     WHERE o.kind = 'thread' AND parent.ext IS NULL`,
  );
}

const PEOPLE_KEY = peopleKey('o.people');

/** People may be writing in rooms that grow: nobody else may from here on, so that their counters stand. */
async function lockGrowingRooms(client: Client, scope: string): Promise<void> {
  await client.query(
    `SELECT 1 FROM conversations WHERE id IN (
       SELECT k.target_id FROM imported_ids k JOIN old_rooms o ON o.ext = k.external_id
       WHERE k.kind = 'conversation' AND k.scope = $1
       UNION SELECT d.id FROM old_rooms o JOIN directs d ON d.people_key = ${PEOPLE_KEY} WHERE o.kind = 'direct')
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
     WHERE NOT r.is_known AND k.fingerprint = r.fingerprint AND NOT EXISTS (SELECT 1 FROM rooms WHERE is_known) LIMIT 1`,
    [system, scope],
  );
  if (!rows[0]) return;
  throw new SourceError(
    `Conversation ${rows[0].ext} was carried over before, from an installation with the label "${rows[0].label}". ` +
      'Give --label with that to carry what is new, or with another name where this is another installation.',
  );
}

/**
 * Rooms: known from an earlier run, with whose they are by now; direct conversations that their people have here
 * already; or new. A thread has its server and people from its channel.
 */
const ROOMS = `
  CREATE TEMP TABLE rooms ON COMMIT DROP AS
  WITH found AS (
    SELECT o.n, o.source_table, o.ext, o.kind, o.parent_ext, o.root_ext,
      coalesce(known.target_id, theirs.id, o.id) AS id, known.target_id IS NOT NULL AS is_known,
      coalesce(known.target_id, theirs.id) IS NULL AS is_new, known.target_id IS NOT NULL AND c.id IS NULL AS is_gone,
      coalesce(known.fingerprint <> o.fingerprint, false) AS is_other,
      coalesce(c.kind <> o.kind OR channel.server_id <> o.server, false) AS has_moved,
      coalesce(s.owner_id, o.owner) AS owner, coalesce(s.advocate_id, o.advocate) AS advocate,
      coalesce(s.agent_id, o.agent) AS agent, o.server,
      CASE WHEN o.kind = 'session' THEN ARRAY[coalesce(s.owner_id, o.owner), coalesce(s.advocate_id, o.advocate)]
        ELSE o.people END AS people,
      o.type, o.title, o.topic, o.category, o.category_name, coalesce(c.closed, o.closed) AS closed, o.standing,
      o.position, coalesce(o.created, now()::timestamptz(3)) AS created,
      coalesce(o.updated, o.created, now()::timestamptz(3)) AS updated,
      o.fingerprint, coalesce(c.last_seq, 0) AS last_seq, coalesce(c.last_rev, 0) AS last_rev
    FROM old_rooms o
    LEFT JOIN imported_ids known
      ON known.kind = 'conversation' AND known.external_id = o.ext AND known.scope = $1
    LEFT JOIN directs theirs
      ON o.kind = 'direct' AND known.target_id IS NULL AND theirs.people_key = ${PEOPLE_KEY}
    LEFT JOIN conversations c ON c.id = coalesce(known.target_id, theirs.id)
    LEFT JOIN sessions s ON s.id = known.target_id
    LEFT JOIN channels channel ON channel.id = known.target_id
  )
  SELECT f.n, f.source_table, f.ext, f.kind, f.parent_ext, f.root_ext, f.id, f.is_known, f.is_gone, f.is_other,
    f.is_new AND NOT coalesce(parent.is_gone OR parent.is_other OR parent.has_moved, false) AS is_new,
    CASE WHEN f.is_other THEN '${OTHER_ROOM}'
      WHEN f.has_moved OR parent.has_moved THEN '${MOVED}'
      WHEN f.is_new AND (parent.is_gone OR parent.is_other) THEN 'its channel has been deleted since it was carried'
      END AS refusal,
    f.owner, f.advocate, f.agent, parent.id AS parent, coalesce(f.server, parent.server) AS server,
    coalesce(f.people, parent.people) AS people, f.type, f.title, f.topic, f.category, f.category_name,
    coalesce(parent.closed, f.closed) AS closed, f.standing, f.position, f.created, f.updated, f.fingerprint,
    f.last_seq, f.last_rev
  FROM found f LEFT JOIN found parent ON f.kind = 'thread' AND parent.ext = f.parent_ext`;
