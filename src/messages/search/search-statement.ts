import { READABLE } from '../../conversations/mine.js';
import { MESSAGE_JOINS, messageColumns } from '../message.presenter.js';
import { canBeLookedUp, type Group, holding, isWithoutSpaces, pairsOf, piecesOf, type Term } from './search-terms.js';

/** How a message was found: by whole words, or (after all of those) by parts of words. */
export type Rank = 'words' | 'parts';

export interface Wanted {
  userId: string;
  groups: Group[];
  rank: Rank;
  /** A conversation or a server. */
  in?: string | undefined;
  /** The author: a person or an agent. */
  from?: string | undefined;
  before?: string | undefined;
  after?: string | undefined;
  has?: 'link' | 'attachment' | undefined;
  /** The last one that was shown, of the same rank. */
  behind?: { createdAt: string; id: string } | undefined;
  limit: number;
}

/** So many of the newest messages are read before an index is asked, spread over the rooms by their size. */
const WALK = 8000;
const WALK_EACH = 8;
/** And of so many rooms, those in which something was said last: somebody may read thousands of threads. */
const WALK_ROOMS = 400;
/** Before some time any room may be the one in which something was said last. */
const ALL_ROOMS = 1_000_000_000;

const FOUND_COLUMNS = `m.conversation_id, m.seq, m.created_at, m.id`;

/**
 * One statement that finds up to `limit` messages, newest first, in the rooms of the caller and nowhere else.
 *
 * What is common is found at once by walking the newest messages of the rooms; what is rare is found by an index over
 * the words (or trigrams) of all messages. Either alone is slow where the other is fast, and no planner can know: so
 * a bounded walk comes first, and the index is asked only where the walk has not found enough. `edge` is how far back
 * the walk has seen everything, in the rooms that it read and in those that it left out: what it found after that is
 * complete, and the index gives what lies before.
 * `IS TRUE` keeps the planner, which takes the rare for rarer than it is, from asking room by room for each message.
 */
export function searchStatement(wanted: Wanted): { text: string; values: unknown[] } {
  const values = new Values(wanted.userId);
  const { reach, time, author } = filters(wanted, values);
  const fits = all(
    wanted.groups.map((group) => holdsPieces(group, values)),
    ' OR ',
  );
  const ranks = ranked(wanted, values);
  const limit = values.put(wanted.limit);
  const rooms = wanted.before === undefined && !wanted.behind ? WALK_ROOMS : ALL_ROOMS;
  const text = `
    WITH ${READABLE}, reach AS MATERIALIZED (
      SELECT c.id, c.kind, readable.title, readable.server_id, c.last_seq - c.cleared_seq AS size,
        c.last_message_at AS active_at
      FROM readable JOIN conversations c ON c.id = readable.id WHERE ${reach}
    ), walked AS MATERIALIZED (
      SELECT newest.*, newest.place = room.most AS last, room.kind, room.title, room.server_id
      FROM (
        SELECT *, ${WALK_EACH} + ceil(${WALK} * size / greatest(sum(size) OVER (), 1))::bigint AS most
        FROM (SELECT * FROM reach ORDER BY active_at DESC NULLS LAST LIMIT ${rooms}) latest
      ) room
      CROSS JOIN LATERAL (
        SELECT m.conversation_id, m.seq, m.id, m.created_at, m.content, m.author_id, m.agent_id, m.attachments,
          row_number() OVER (ORDER BY m.created_at DESC, m.id DESC) AS place
        FROM messages m WHERE m.conversation_id = room.id AND ${time}
        ORDER BY m.created_at DESC, m.id DESC LIMIT room.most
      ) newest
    ), edge AS MATERIALIZED (
      SELECT greatest(
        (SELECT max(created_at) FILTER (WHERE last) FROM walked),
        (SELECT active_at FROM reach ORDER BY active_at DESC NULLS LAST OFFSET ${rooms} LIMIT 1)
      ) AS at
    ), early AS MATERIALIZED (
      SELECT ${FOUND_COLUMNS}, m.kind, m.title, m.server_id FROM (
        SELECT m.* FROM walked m
        WHERE (${fits}) AND ${author} AND m.created_at > (SELECT coalesce(at, '-infinity') FROM edge)
        ORDER BY m.created_at DESC, m.id DESC OFFSET 0
      ) m WHERE ${ranks.test} LIMIT ${limit}
    ), late AS MATERIALIZED (
      SELECT ${FOUND_COLUMNS} FROM messages m
      WHERE ${ranks.lookUp} AND (${fits}) AND ${author} AND ${time} AND m.created_at <= (SELECT at FROM edge)
        AND (SELECT count(*) FROM early) < ${limit} AND ${ranks.test}
        AND (m.conversation_id IN (SELECT id FROM reach)) IS TRUE
      ORDER BY m.created_at DESC, m.id DESC LIMIT ${limit}
    ), found AS (
      SELECT * FROM early
      UNION ALL
      SELECT late.*, reach.kind, reach.title, reach.server_id FROM late JOIN reach ON reach.id = late.conversation_id
      ORDER BY created_at DESC, id DESC LIMIT ${limit}
    )
    SELECT ${messageColumns('$1')}, found.kind AS "roomKind", found.title AS "roomTitle",
      found.server_id AS "roomServerId"
    FROM found JOIN messages m ON m.conversation_id = found.conversation_id AND m.seq = found.seq ${MESSAGE_JOINS}
    ORDER BY found.created_at DESC, found.id DESC`;
  return { text, values: values.list };
}

/** Keeps what comes from outside apart from the text of the statement. */
class Values {
  readonly list: unknown[];

  constructor(first: unknown) {
    this.list = [first];
  }

  put(value: unknown): string {
    return `$${this.list.push(value)}`;
  }
}

function filters({ in: place, from, before, after, has, behind }: Wanted, values: Values) {
  const reach = place === undefined ? 'true' : values.put(place);
  const time = [
    before !== undefined && `m.created_at < ${values.put(before)}::timestamptz`,
    after !== undefined && `m.created_at >= ${values.put(after)}::timestamptz`,
    behind && `(m.created_at, m.id) < (${values.put(behind.createdAt)}::timestamptz, ${values.put(behind.id)}::uuid)`,
  ];
  const by = from === undefined ? undefined : values.put(from);
  const author = [
    by && `(m.author_id = ${by}::uuid OR m.agent_id = ${by}::uuid)`,
    has === 'attachment' && `m.attachments IS NOT NULL`,
    has === 'link' && `lower(m.content) LIKE '%http%://%'`,
  ];
  return {
    reach: place === undefined ? reach : `(c.id = ${reach}::uuid OR readable.server_id = ${reach}::uuid)`,
    time: all(time),
    author: all(author),
  };
}

/** What every found message has, whatever its rank: cheap to see for each of the many that are walked. */
function holdsPieces({ wanted, unwanted }: Group, values: Values): string {
  return all([
    ...wanted.flatMap(piecesOf).map((piece) => like(piece, values)),
    ...unwanted.map((text) => `NOT ${like(text, values)}`),
  ]);
}

/** `test` is true of the rank; `lookUp` is implied by it, and has an index. */
function ranked({ rank, groups }: Wanted, values: Values): { test: string; lookUp: string } {
  const words = `message_words(m.content) @@ (${groups.map((group) => queryOf(group, values)).join(' || ')})`;
  if (rank === 'words') return { test: words, lookUp: words };
  const test = `NOT ${words} AND (${all(
    groups.map((group) => holdsPhrases(group, values)),
    ' OR ',
  )})`;
  const lookUp = groups.every(({ wanted }) => wanted.some(canBeLookedUp))
    ? `(${all(
        groups.map((group) => lookUpOf(group, values)),
        ' OR ',
      )})`
    : 'false';
  return { test, lookUp };
}

/** The words of a group as a tsquery. */
function queryOf({ wanted }: Group, values: Values): string {
  return `(${wanted.map((term) => queryOfTerm(term, values)).join(' && ')})`;
}

function queryOfTerm(term: Term, values: Values): string {
  if (isWithoutSpaces(term)) return `${values.put(pairsOf(term.text))}::tsquery`;
  return `websearch_to_tsquery('simple', ${values.put(term.phrase ? `"${term.text}"` : term.text)})`;
}

function holdsPhrases({ wanted }: Group, values: Values): string {
  return all(wanted.filter(({ phrase }) => phrase).map(({ text }) => like(text, values)));
}

/** Only what has a trigram, or pairs beyond ASCII: anything else would have the whole index read. */
function lookUpOf({ wanted }: Group, values: Values): string {
  const pairs = wanted.map(({ text }) => pairsOf(text)).filter((query) => query !== '');
  return all([
    ...wanted.filter(({ text }) => /[a-z0-9]{3}/.test(text)).map(({ text }) => like(text, values)),
    ...pairs.map((query) => `message_words(m.content) @@ ${values.put(query)}::tsquery`),
  ]);
}

function like(text: string, values: Values): string {
  return `lower(m.content) LIKE ${values.put(holding(text))}`;
}

function all(conditions: (string | false | undefined)[], joint = ' AND '): string {
  const stated = conditions.filter((condition) => typeof condition === 'string' && condition !== '');
  return stated.length === 0 ? 'true' : stated.map((each) => (joint === ' OR ' ? `(${each})` : each)).join(joint);
}
