import type { Client } from 'pg';
import { MismatchError } from './verifying.js';

/** Messages that are stored by one statement: as much as a progress bar can wait for. */
const CHUNK = 20_000;

/**
 * Puts what was judged good where it belongs. Gives how many rooms and messages were
 * written.
 */
export async function carry(
  client: Client,
  scope: string,
  importId: string,
  onProgress: (messages: number, of: number) => void,
): Promise<{ sessions: number; messages: number }> {
  const rooms = await client.query(CONVERSATIONS);
  await client.query(SESSIONS);
  await client.query(CHANNELS);
  await client.query(GROWN);
  await client.query(ACTIVE);
  await client.query(ROOM_IDS, [scope, importId]);
  const messages = await carryMessages(client, scope, importId, onProgress);
  await carryRevisions(client, scope, importId);
  await client.query(MENTIONS);
  await client.query(READ);
  await client.query(READ_TIMES);
  return { sessions: rooms.rowCount ?? 0, messages };
}

async function carryMessages(
  client: Client,
  scope: string,
  importId: string,
  onProgress: (messages: number, of: number) => void,
): Promise<number> {
  const { rows } = await client.query<{ size: string }>(`SELECT count(*) AS size FROM carried`);
  const size = Number(rows[0]?.size);
  onProgress(0, size);
  for (let done = 0; done < size; done += CHUNK) {
    await client.query(MESSAGES, [done, done + CHUNK]);
    await client.query(MESSAGE_IDS, [done, done + CHUNK, scope, importId]);
    onProgress(Math.min(done + CHUNK, size), size);
  }
  return size;
}

async function carryRevisions(client: Client, scope: string, importId: string): Promise<void> {
  const { rows } = await client.query<{ size: string }>(
    `SELECT count(*) AS size FROM old_revisions WHERE n NOT IN (SELECT n FROM known_revisions)`,
  );
  const stored = await client.query(REVISIONS);
  await client.query(REVISION_IDS, [scope, importId]);
  if (stored.rowCount === Number(rows[0]?.size)) return;
  throw new MismatchError(`${rows[0]?.size} earlier forms of messages were read, but ${stored.rowCount} stored.`);
}

const CONVERSATIONS = `
  INSERT INTO conversations (id, kind, last_seq, last_rev, last_message_at, closed, created_at)
  SELECT r.id, CASE WHEN r.server IS NULL THEN 'session' ELSE 'channel' END, coalesce(sizes.size, 0),
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
  FROM rooms r LEFT JOIN sizes ON sizes.id = r.id WHERE r.is_new AND r.server IS NULL ORDER BY r.id`;

/** A name that a channel of the server has already gets an ending. */
const CHANNELS = `
  INSERT INTO channels (id, server_id, name, name_key, type, position, topic, created_at)
  SELECT id, server, name, lower(normalize(name, NFKC)), type, position, topic, created
  FROM (
    SELECT r.*, CASE
        WHEN row_number() OVER (PARTITION BY r.server, lower(normalize(r.title, NFKC)) ORDER BY r.n) > 1 OR EXISTS (
          SELECT 1 FROM channels c WHERE c.server_id = r.server AND c.name_key = lower(normalize(r.title, NFKC)))
        THEN r.title || '-' || left(md5(r.ext), 8) ELSE r.title END AS name
    FROM rooms r WHERE r.is_new AND r.server IS NOT NULL
  ) named ORDER BY id`;

const GROWN = `
  UPDATE conversations c
  SET last_seq = c.last_seq + sizes.size, last_rev = c.last_rev + sizes.revs,
    last_message_at = greatest(c.last_message_at, sizes.newest)
  FROM sizes JOIN rooms r ON r.id = sizes.id WHERE c.id = r.id AND NOT r.is_new`;

const ACTIVE = `
  UPDATE sessions s SET active_at = greatest(s.active_at, sizes.newest)
  FROM sizes JOIN rooms r ON r.id = sizes.id WHERE s.id = r.id AND NOT r.is_new`;

const ROOM_IDS = `
  INSERT INTO imported_ids AS known (kind, external_id, scope, import_id, target_id, fingerprint, rev)
  SELECT 'conversation', r.ext, $1, $2, r.id, r.fingerprint, coalesce(sizes.revs, 0)
  FROM rooms r LEFT JOIN sizes ON sizes.id = r.id WHERE r.is_new OR sizes.size > 0
  ON CONFLICT (kind, external_id, scope) DO UPDATE SET rev = known.rev + excluded.rev`;

const MESSAGES = `
  INSERT INTO messages (conversation_id, seq, rev, id, author_id, agent_id, role, content, metadata, tokens_used,
    mentions, created_at)
  SELECT room, last_seq + nth, rev, id, author_id, agent_id, role, content, metadata, tokens,
    CASE WHEN names IS NOT NULL THEN resolve_mentions(names, server, people) END, created_at
  FROM carried WHERE place > $1 AND place <= $2 ORDER BY place`;

const MESSAGE_IDS = `
  INSERT INTO imported_ids (kind, external_id, scope, import_id, target_id, conversation_id, fingerprint)
  SELECT 'message', ext, $3, $4, id, room, fingerprint
  FROM carried WHERE place > $1 AND place <= $2 ORDER BY place`;

const NEW_REVISIONS = `
  SELECT o.*, c.room, c.id AS message, c.rev AS message_rev, c.forms, c.created_at
  FROM old_revisions o
  JOIN rooms r ON r.ext = o.room_ext
  JOIN carried c ON c.room = r.id AND c.ext = o.message_ext
  WHERE o.n NOT IN (SELECT n FROM known_revisions)`;

const REVISIONS = `
  INSERT INTO message_revisions (conversation_id, message_id, rev, content, created_at)
  SELECT room, message,
    message_rev - forms - 1 + row_number() OVER (PARTITION BY message ORDER BY created NULLS FIRST, n), content,
    coalesce(created, created_at)
  FROM (${NEW_REVISIONS}) fresh`;

const REVISION_IDS = `
  INSERT INTO imported_ids (kind, external_id, scope, import_id, target_id, conversation_id, fingerprint)
  SELECT 'message', ext, $1, $2, message, room, fingerprint FROM (${NEW_REVISIONS}) fresh`;

/** As append_messages does it: nobody mentions themselves. */
const MENTIONS = `
  INSERT INTO mentions (conversation_id, seq, user_id)
  SELECT m.conversation_id, m.seq, person.id
  FROM carried c
  JOIN messages m ON m.conversation_id = c.room AND m.seq = c.last_seq + c.nth
  JOIN users person ON person.id = ANY (m.mentions)
  WHERE c.names IS NOT NULL AND person.id IS DISTINCT FROM m.author_id`;

/** What came from an old system is nothing new to those whose session it is, and to the members of its servers. */
const READ = `
  INSERT INTO read_markers (conversation_id, user_id, seq)
  SELECT r.id, person, sizes.size
  FROM rooms r JOIN sizes ON sizes.id = r.id CROSS JOIN LATERAL (
    SELECT r.owner AS person UNION SELECT r.advocate
    UNION SELECT member.user_id FROM memberships member WHERE member.server_id = r.server
  ) people
  WHERE r.is_new AND person IS NOT NULL`;

/** A message of a peer session was read by its other side. */
const READ_TIMES = `
  INSERT INTO read_times (conversation_id, by_owner, seq, read_at)
  SELECT c.room, c.role = 'peer', c.last_seq + c.nth, c.read_at FROM carried c JOIN rooms r ON r.id = c.room
  WHERE c.read_at IS NOT NULL AND c.role IN ('user', 'peer') AND r.type = 'peer'`;
