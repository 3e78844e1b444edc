import type { Client } from 'pg';
import { MismatchError } from './verifying.js';

/** Messages that are stored by one statement: as much as a progress bar can wait for. */
const CHUNK = 20_000;

/** Stores the new messages chunk by chunk, with their earlier forms and whom they mention. Gives how many. */
export async function carryMessages(
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
    onProgress(Math.min(done + CHUNK, size), size);
  }
  await client.query(MESSAGE_IDS, [scope, importId]);
  await carryRevisions(client, scope, importId);
  await client.query(MENTIONS);
  await client.query(READ_TIMES);
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

/** As resolve_mentions does it, of people who are known by more than a name. */
const MENTIONED = `(
  SELECT array_agg(who ORDER BY nth) FROM unnest(mentioned) WITH ORDINALITY AS named (who, nth)
  WHERE who = ANY (people) OR EXISTS (SELECT 1 FROM memberships m WHERE m.server_id = server AND m.user_id = who))`;

const MESSAGES = `
  INSERT INTO messages (conversation_id, seq, rev, id, author_id, agent_id, role, content, metadata, tokens_used,
    mentions, created_at, edited_at, reply_to_id, pinned_at, reactions)
  SELECT room, last_seq + nth, rev, id, author_id, agent_id, role, content, metadata, tokens,
    CASE WHEN names IS NOT NULL THEN resolve_mentions(names, server, people)
      WHEN mentioned IS NOT NULL THEN ${MENTIONED} END,
    created_at, edited_at, reply_to_id, pinned_at, reactions
  FROM carried WHERE place > $1 AND place <= $2 ORDER BY place`;

/** In the order of the source, in which ids and times mostly rise: so each index is written from one end to the other. */
const MESSAGE_IDS = `
  INSERT INTO imported_ids (kind, external_id, scope, import_id, target_id, conversation_id, fingerprint)
  SELECT 'message', ext, $1, $2, id, room, fingerprint FROM carried ORDER BY n`;

const NEW_REVISIONS = `
  SELECT o.*, c.room, c.id AS message, c.rev AS message_rev, c.steps, c.created_at
  FROM old_revisions o
  JOIN rooms r ON r.ext = o.room_ext
  JOIN carried c ON c.room = r.id AND c.ext = o.message_ext
  WHERE o.n NOT IN (SELECT n FROM known_revisions)`;

const REVISIONS = `
  INSERT INTO message_revisions (conversation_id, message_id, rev, content, created_at)
  SELECT room, message,
    message_rev - steps - 1 + row_number() OVER (PARTITION BY message ORDER BY created NULLS FIRST, n), content,
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
  WHERE (c.names IS NOT NULL OR c.mentioned IS NOT NULL) AND person.id IS DISTINCT FROM m.author_id`;

/** A message of a peer session was read by its other side. */
const READ_TIMES = `
  INSERT INTO read_times (conversation_id, by_owner, seq, read_at)
  SELECT c.room, c.role = 'peer', c.last_seq + c.nth, c.read_at FROM carried c JOIN rooms r ON r.id = c.room
  WHERE c.read_at IS NOT NULL AND c.role IN ('user', 'peer') AND r.type = 'peer'`;
