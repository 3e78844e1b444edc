import { arrayAt } from '../platform/database/database.js';

/** A direct conversation is called after the others in it. */
const NAMES_OF_THE_OTHERS = `(
      SELECT string_agg(u.display_name, ', ' ORDER BY u.display_name, u.id)
      FROM direct_participants other JOIN users u ON u.id = other.user_id
      WHERE other.direct_id = p.direct_id AND other.user_id <> $1)`;

/** The rooms whose people `$1` is one of, as `rooms(id, title, server_id)`. */
const roomsWith = (nameOfDirect: string): string => `
  rooms AS (
    SELECT ch.id, ch.name AS title, ch.server_id
    FROM memberships m JOIN channels ch ON ch.server_id = m.server_id WHERE m.user_id = $1
    UNION ALL
    SELECT s.id, s.title, NULL FROM sessions s WHERE s.owner_id = $1
    UNION ALL
    SELECT s.id, s.title, NULL FROM sessions s WHERE s.advocate_id = $1 AND s.owner_id <> $1
    UNION ALL
    SELECT p.direct_id, ${nameOfDirect}, NULL FROM direct_participants p WHERE p.user_id = $1
  )`;
const ROOMS = roomsWith(NAMES_OF_THE_OTHERS);

const ROOM = `SELECT id, title, server_id, NULL::uuid AS parent_id, NULL::uuid AS message_id`;
const THREAD = `SELECT t.id, NULL AS title, rooms.server_id, t.parent_id, t.message_id`;

/**
 * Everything that the person `$1` may read, as a common table expression `readable(id, title, server_id, parent_id,
 * message_id)`: what the door would let them into, said once for the lists. The access tests hold the two against each other.
 * Of threads also when they began and were last active.
 */
export const READABLE = `${ROOMS},
  readable AS (
    ${ROOM}, NULL::timestamptz AS begun_at, NULL::timestamptz AS active_at FROM rooms
    UNION ALL
    ${THREAD}, t.created_at, t.active_at FROM rooms JOIN threads t ON t.parent_id = rooms.id
  )`;

const mineOf = (rooms: string): string => `${rooms},
  mine AS (
    ${ROOM} FROM rooms
    UNION ALL
    ${THREAD} FROM thread_participants p JOIN threads t ON t.id = p.thread_id JOIN rooms ON rooms.id = t.parent_id
    WHERE p.user_id = $1
  )`;

/** What of it is listed as theirs, as `mine`: of the threads those in which they take part. */
export const MINE = mineOf(ROOMS);
/** The same where nobody asks what they are called. */
export const MINE_UNNAMED = mineOf(roomsWith('NULL'));

/**
 * The rooms of `mine`, as `c`. By the key of each: the planner, which knows nothing of how many are somebody's, would
 * else read the whole table.
 */
export const MY_ROOMS = `mine CROSS JOIN LATERAL (SELECT * FROM conversations WHERE id = mine.id OFFSET 0) AS c`;

/** Counters of what is unread go no further. */
export const MOST_COUNTED = 100;
/**
 * What is unread is looked for among so many newest messages: a program that only writes, and never reads, has hundreds
 * of thousands of its own after its marker, and would wait for all of them to be looked at, each time that it connects.
 */
const MOST_LOOKED_AT = 5_000;

/**
 * The marker of `$1` in the room `c`, and what lies after it that is neither their own nor deleted: exact up to 99,
 * then 100 for more. Of that, what names them or everybody. Bounded ranges of an index, never a count over the table.
 * In the order of that index: the planner, which hopes for a hundred soon, would else read the whole table where most of
 * it is of one room. Too few are counted only for somebody whose own, or deleted, are nearly all of the newest MOST_LOOKED_AT.
 */
export const UNREAD = `
  LEFT JOIN read_markers marker ON marker.conversation_id = c.id AND marker.user_id = $1
  LEFT JOIN LATERAL (
    SELECT count(*) AS unread FROM (
      SELECT 1 FROM messages m
      WHERE c.last_seq > coalesce(marker.seq, 0) AND m.conversation_id = c.id
        AND m.seq > greatest(marker.seq, c.cleared_seq, c.last_seq - ${MOST_LOOKED_AT})
        AND m.author_id IS DISTINCT FROM $1 AND m.deleted_at IS NULL
      ORDER BY m.seq DESC LIMIT ${MOST_COUNTED}
    ) AS after_marker
  ) AS counted ON true
  LEFT JOIN LATERAL (
    SELECT count(*) AS mentions FROM (
      (SELECT named.seq FROM mentions named
       WHERE c.last_seq > coalesce(marker.seq, 0) AND named.user_id = $1 AND named.conversation_id = c.id
         AND named.seq > coalesce(marker.seq, 0)
       ORDER BY named.seq DESC LIMIT ${MOST_COUNTED})
      UNION
      (SELECT m.seq FROM messages m
       WHERE c.last_seq > coalesce(marker.seq, 0) AND m.conversation_id = c.id AND m.mentions_everyone
         AND m.seq > greatest(marker.seq, c.last_seq - ${MOST_LOOKED_AT}) AND m.author_id IS DISTINCT FROM $1
       ORDER BY m.seq DESC LIMIT ${MOST_COUNTED})
      LIMIT ${MOST_COUNTED}
    ) AS named_after_marker
  ) AS naming ON true`;

/** A statement about `$1`, said of each of the people `$1` in one go, their ids before its rows as `"userId"`. */
export function ofEach(statement: string): string {
  return `
    SELECT each_of.id AS "userId", theirs.* FROM unnest(${arrayAt(1)}) AS each_of (id)
    CROSS JOIN LATERAL (${statement.replaceAll('$1', 'each_of.id')}) AS theirs`;
}
