import type { Client } from 'pg';
import { carryMessages } from './carrying-messages.js';
import { carryReactions } from './carrying-reactions.js';
import { peopleKey } from './people-key.js';

/** How much an import wrote. */
export interface Updated {
  sessions: number;
  messages: number;
  reactions: number;
}

/** Puts what was judged good where it belongs. */
export async function carry(
  client: Client,
  scope: string,
  importId: string,
  onProgress: (messages: number, of: number) => void,
): Promise<Updated> {
  const rooms = await client.query(CONVERSATIONS);
  await client.query(SESSIONS);
  await client.query(CATEGORIES, [scope, importId]);
  await client.query(CHANNELS);
  await client.query(DIRECTS);
  await client.query(PARTICIPANTS);
  await client.query(GROWN);
  await client.query(ACTIVE);
  await client.query(ROOM_IDS, [scope, importId]);
  await client.query(GROWN_FROM, [scope, importId]);
  const messages = await carryMessages(client, scope, importId, onProgress);
  await client.query(THREADS);
  await client.query(WRITERS);
  const reactions = await carryReactions(client, scope, importId);
  await client.query(READ);
  return { sessions: rooms.rowCount ?? 0, messages, reactions };
}

const CONVERSATIONS = `
  INSERT INTO conversations (id, kind, last_seq, last_rev, last_message_at, closed, created_at)
  SELECT r.id, r.kind, coalesce(sizes.size, 0),
    coalesce(sizes.revs, 0), sizes.newest, r.closed, r.created
  FROM rooms r LEFT JOIN sizes ON sizes.id = r.id WHERE r.is_new ORDER BY r.id`;

/** Of several sessions of a person with one agent the latest is the standing one; a name that is taken is left off. */
const SESSIONS = `
  INSERT INTO sessions (id, owner_id, type, status, title, agent_id, advocate_id, external_id, standing, created_at,
    updated_at, active_at, queued_at)
  SELECT r.id, r.owner, r.type, CASE WHEN r.closed THEN 'closed' ELSE 'open' END, r.title, r.agent, r.advocate,
    CASE WHEN NOT EXISTS (SELECT 1 FROM sessions o WHERE o.owner_id = r.owner AND o.external_id = r.ext) THEN r.ext END,
    r.standing AND r.agent IS NOT NULL AND row_number() OVER (
        PARTITION BY r.owner, r.agent, r.standing ORDER BY r.updated DESC, r.n) = 1
      AND NOT EXISTS (SELECT 1 FROM sessions o WHERE o.owner_id = r.owner AND o.agent_id = r.agent AND o.standing),
    r.created, r.updated, coalesce(sizes.newest, r.created), r.created
  FROM rooms r LEFT JOIN sizes ON sizes.id = r.id WHERE r.is_new AND r.kind = 'session' ORDER BY r.id`;

/** After those that the server has; one of the same name is taken for it. */
const CATEGORIES = `
  WITH made AS (
    INSERT INTO categories (id, server_id, name, name_key, position)
    SELECT category, server, category_name, key, coalesce(
        (SELECT max(position) FROM categories WHERE server_id = server), -1)
      + row_number() OVER (PARTITION BY server ORDER BY n)
    FROM (
      SELECT DISTINCT ON (server, key) category, server, category_name, key, n
      FROM rooms, LATERAL (SELECT lower(normalize(category_name, NFKC)) AS key) named
      WHERE is_new AND kind = 'channel' AND category IS NOT NULL ORDER BY server, key, n
    ) each
    ON CONFLICT DO NOTHING RETURNING id, server_id
  )
  INSERT INTO imported_ids (kind, external_id, scope, import_id, target_id, conversation_id)
  SELECT 'category', id::text, $1, $2, id, server_id FROM made
  ON CONFLICT (kind, external_id, scope) DO UPDATE SET import_id = excluded.import_id`;

/** A name that a channel of the server has already gets an ending. */
const CHANNELS = `
  INSERT INTO channels (id, server_id, category_id, name, name_key, type, position, topic, created_at)
  SELECT id, server, (
      SELECT heading.id FROM categories heading
      WHERE heading.server_id = server
        AND (heading.id = category OR heading.name_key = lower(normalize(category_name, NFKC)))
      ORDER BY heading.id = category DESC LIMIT 1) AS heading,
    name, lower(normalize(name, NFKC)), type, position, topic, created
  FROM (
    SELECT r.*, CASE
        WHEN row_number() OVER (PARTITION BY r.server, lower(normalize(r.title, NFKC)) ORDER BY r.n) > 1 OR EXISTS (
          SELECT 1 FROM channels c WHERE c.server_id = r.server AND c.name_key = lower(normalize(r.title, NFKC)))
        THEN r.title || '-' || left(md5(r.ext), 8) ELSE r.title END AS name
    FROM rooms r WHERE r.is_new AND r.kind = 'channel'
  ) named ORDER BY id`;

const GROWN = `
  UPDATE conversations c
  SET last_seq = c.last_seq + sizes.size, last_rev = c.last_rev + sizes.revs,
    last_message_at = greatest(c.last_message_at, sizes.newest)
  FROM sizes JOIN rooms r ON r.id = sizes.id WHERE c.id = r.id AND NOT r.is_new`;

const ACTIVE = `
  UPDATE sessions s SET active_at = greatest(s.active_at, sizes.newest)
  FROM sizes JOIN rooms r ON r.id = sizes.id WHERE s.id = r.id AND NOT r.is_new`;

/** A direct conversation that its people had here already counts from what it was then. */
const ROOM_IDS = `
  INSERT INTO imported_ids AS known (kind, external_id, scope, import_id, target_id, fingerprint, rev, made)
  SELECT 'conversation', r.ext, $1, $2, r.id, r.fingerprint,
    CASE WHEN r.is_known THEN 0 ELSE r.last_rev END + coalesce(sizes.revs, 0), r.is_new
  FROM rooms r LEFT JOIN sizes ON sizes.id = r.id
  WHERE r.refusal IS NULL AND (NOT r.is_known OR sizes.revs > 0)
  ON CONFLICT (kind, external_id, scope) DO UPDATE SET rev = known.rev + excluded.rev`;

/** What each room that grows had before, for the way back. */
const GROWN_FROM = `
  INSERT INTO imported_ids (kind, external_id, scope, import_id, target_id, conversation_id, rev)
  SELECT 'change', $2 || ' ' || r.id, $1, $2::uuid, r.id, r.id, r.last_rev
  FROM rooms r JOIN sizes ON sizes.id = r.id WHERE NOT r.is_new AND sizes.revs > 0`;

const DIRECTS = `
  INSERT INTO directs (id, people_key, created_at)
  SELECT id, ${peopleKey('people')}, created
  FROM rooms WHERE is_new AND kind = 'direct' ORDER BY id`;

const PARTICIPANTS = `
  INSERT INTO direct_participants (direct_id, user_id)
  SELECT id, unnest(people) FROM rooms WHERE is_new AND kind = 'direct'`;

/** A trigger follows what is said in it from here on. */
const THREADS = `
  INSERT INTO threads (id, parent_id, message_id, created_at, active_at)
  SELECT r.id, hangs.parent, hangs.message, r.created, coalesce(sizes.newest, r.created)
  FROM hangs JOIN rooms r ON r.id = hangs.thread LEFT JOIN sizes ON sizes.id = r.id ORDER BY r.id`;

/** As append_messages does it: who writes in a thread takes part in it. */
const WRITERS = `
  INSERT INTO thread_participants (thread_id, user_id, joined_at)
  SELECT c.room, c.author_id, min(c.created_at) FROM carried c JOIN rooms r ON r.id = c.room
  WHERE r.kind = 'thread' AND c.author_id IS NOT NULL GROUP BY 1, 2 ON CONFLICT DO NOTHING`;

/**
 * What came from an old system is nothing new to those whose session it is, to the members of its
 * servers, and to who wrote in its threads.
 */
const READ = `
  INSERT INTO read_markers (conversation_id, user_id, seq)
  SELECT r.id, person, sizes.size
  FROM rooms r JOIN sizes ON sizes.id = r.id CROSS JOIN LATERAL (
    SELECT unnest(r.people) AS person WHERE r.kind IN ('session', 'direct')
    UNION SELECT member.user_id FROM memberships member WHERE r.kind = 'channel' AND member.server_id = r.server
    UNION SELECT writer.user_id FROM thread_participants writer WHERE writer.thread_id = r.id
  ) people
  WHERE r.is_new AND person IS NOT NULL`;
