import type { Client } from 'pg';
import { MAX_PINS } from '../../messages/message.entity.js';
import type { Notes } from './row.js';

/** Gives what was judged good its place in its room: the order in which it is stored, and the revs that it takes. */
export async function place(client: Client, scope: string, notes: Notes): Promise<void> {
  await client.query(ANSWERS, [scope]);
  await leaveOut(client, notes, 'replies to messages that are not there, or come later', {
    of: `SELECT n FROM answers WHERE reply_to IS NULL`,
  });
  await client.query(PINS);
  await leaveOut(client, notes, `pins beyond the newest ${MAX_PINS} of a conversation`, {
    of: `SELECT n FROM pins WHERE nth > ${MAX_PINS}`,
  });
  await client.query(COUNTS);
  await client.query(`ANALYZE answers, pins, hangs, counts`);
  await client.query(CARRIED);
  await client.query(`CREATE INDEX ON carried (place)`);
  await client.query(`ANALYZE carried`);
  await client.query(
    `CREATE TEMP TABLE grown ON COMMIT DROP AS
     SELECT room AS id, count(*) AS size, sum(1 + steps) AS revs, max(created_at) AS newest FROM carried GROUP BY room`,
  );
  await client.query(CHANGED);
  await client.query(SIZES);
}

async function leaveOut(client: Client, notes: Notes, name: string, { of }: { of: string }): Promise<void> {
  const { rows } = await client.query<{ size: string }>(`SELECT count(*) AS size FROM (${of}) left_out`);
  if (Number(rows[0]?.size) > 0) notes.leaveOut(name, Number(rows[0]?.size));
}

/** What new messages reply to: an earlier message of their room. */
const ANSWERS = `
  CREATE TEMP TABLE answers ON COMMIT DROP AS
  SELECT o.n, coalesce(here.id, fresh.id) AS reply_to
  FROM old_messages o
  JOIN rooms r ON r.ext = o.room_ext
  LEFT JOIN imported_ids known ON known.kind = 'message' AND known.external_id = o.reply_ext AND known.scope = $1
  LEFT JOIN messages here ON here.conversation_id = r.id AND here.id = known.target_id
  LEFT JOIN old_messages fresh ON known.target_id IS NULL AND fresh.ext = o.reply_ext
    AND fresh.room_ext = o.room_ext AND (fresh.place, fresh.n) < (o.place, o.n)
  WHERE o.reply_ext IS NOT NULL AND NOT EXISTS (SELECT 1 FROM known_messages k WHERE k.n = o.n)`;

const PINS = `
  CREATE TEMP TABLE pins ON COMMIT DROP AS
  SELECT o.n, row_number() OVER (PARTITION BY r.id ORDER BY o.place DESC, o.n DESC) + (
    SELECT count(*) FROM messages m WHERE m.conversation_id = r.id AND m.pinned_at IS NOT NULL) AS nth
  FROM old_messages o JOIN rooms r ON r.ext = o.room_ext
  WHERE o.pinned AND NOT EXISTS (SELECT 1 FROM known_messages k WHERE k.n = o.n)`;

/** The reactions to new messages, in the form in which the messages have them. */
const COUNTS = `
  CREATE TEMP TABLE counts ON COMMIT DROP AS
  SELECT message_n AS n, sum(size)::bigint AS size,
    jsonb_agg(jsonb_build_object('emoji', emoji, 'count', size) ORDER BY first) AS kinds
  FROM (
    SELECT message_n, emoji, count(*) AS size, min(n) AS first FROM given
    WHERE message_n IS NOT NULL GROUP BY message_n, emoji
  ) each GROUP BY message_n`;

/**
 * One sort gives both the order of storing and each message's place in its room. Its earlier forms take a rev each, as
 * if it had been edited so often, and so do an edit, a pin, a thread and each reaction.
 */
const CARRIED = `
  CREATE TEMP TABLE carried ON COMMIT DROP AS
  SELECT row_number() OVER (ORDER BY r.id, o.place, o.n) AS place, o.n, o.source_table, r.id AS room,
    row_number() OVER in_room AS nth, r.last_seq, r.last_rev + sum((1 + step.steps)::integer) OVER in_room AS rev,
    step.steps, o.id, o.ext,
    CASE o.role WHEN 'user' THEN coalesce(o.author, r.owner) WHEN 'peer' THEN coalesce(o.author, r.advocate)
      END AS author_id,
    CASE WHEN o.role = 'agent' THEN r.agent END AS agent_id, o.role, o.content, o.metadata, o.tokens,
    coalesce(o.created, r.created) AS created_at, o.edited AS edited_at, o.read AS read_at,
    answers.reply_to AS reply_to_id, CASE WHEN pins.n IS NOT NULL THEN coalesce(o.created, r.created) END AS pinned_at,
    counts.kinds AS reactions, o.names, o.mentioned,
    CASE WHEN o.names IS NOT NULL OR o.mentioned IS NOT NULL THEN r.server END AS server,
    CASE WHEN o.names IS NOT NULL OR o.mentioned IS NOT NULL THEN r.people END AS people, o.fingerprint, o.stored
  FROM old_messages o
  JOIN rooms r ON r.ext = o.room_ext
  LEFT JOIN (
    SELECT room_ext, message_ext, count(*) AS forms FROM old_revisions
    WHERE n NOT IN (SELECT n FROM known_revisions) GROUP BY 1, 2
  ) f ON f.message_ext = o.ext AND f.room_ext = o.room_ext
  LEFT JOIN answers ON answers.n = o.n
  LEFT JOIN pins ON pins.n = o.n AND pins.nth <= ${MAX_PINS}
  LEFT JOIN hangs ON hangs.message_n = o.n
  LEFT JOIN counts ON counts.n = o.n
  CROSS JOIN LATERAL (
    SELECT coalesce(f.forms, 0) + coalesce(counts.size, 0) + (o.edited IS NOT NULL)::integer
      + (pins.n IS NOT NULL)::integer + (hangs.thread IS NOT NULL)::integer AS steps
  ) step
  WHERE NOT EXISTS (SELECT 1 FROM known_messages k WHERE k.n = o.n)
  WINDOW in_room AS (PARTITION BY r.id ORDER BY o.place, o.n)`;

/** Messages that were here before and get a thread or reactions: after all that is new in their room. */
const CHANGED = `
  CREATE TEMP TABLE changed ON COMMIT DROP AS
  SELECT step.room, step.message, m.rev AS earlier_rev, step.reacted, step.opened + step.reacted AS steps,
    r.last_rev + coalesce(grown.revs, 0)
      + sum(step.opened + step.reacted) OVER (PARTITION BY step.room ORDER BY m.seq) AS rev
  FROM (
    SELECT room, message, sum(opened) AS opened, sum(reacted) AS reacted FROM (
      SELECT parent AS room, message, 1 AS opened, 0 AS reacted FROM hangs WHERE message_n IS NULL
      UNION ALL SELECT room, message, 0, 1 FROM given WHERE message_n IS NULL AND NOT is_there
    ) each GROUP BY room, message
  ) step
  JOIN messages m ON m.conversation_id = step.room AND m.id = step.message
  JOIN rooms r ON r.id = step.room
  LEFT JOIN grown ON grown.id = step.room`;

const SIZES = `
  CREATE TEMP TABLE sizes ON COMMIT DROP AS
  SELECT id, sum(size)::bigint AS size, sum(revs)::bigint AS revs, max(newest) AS newest FROM (
    SELECT id, size, revs, newest FROM grown
    UNION ALL SELECT room, 0, sum(steps), NULL FROM changed GROUP BY room
  ) each GROUP BY id`;
