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
  /** The last one that was shown, of the same rank, and, where the index found it, how far back this page may go. */
  behind?: Behind | undefined;
  limit: number;
}

export interface Behind {
  createdAt: string;
  id: string;
  expected?: string | undefined;
}

/** How far a walk goes: so many of the newest messages, spread over so many of the latest rooms by their size. */
export interface Steps {
  messages: number;
  rooms: number;
}

/** What is left to the index: messages until a time, and after another where that is known to do. */
export interface Window {
  until: Date;
  after?: Date | undefined;
}

interface Statement {
  text: string;
  values: unknown[];
}

/**
 * Walled in, so that each is looked up by its seq: where most rooms are small, reading a room looks as cheap to PostgreSQL,
 * and it read a big one for each message that was found there.
 */
const EACH_FOUND = `LATERAL (
  SELECT * FROM messages WHERE conversation_id = found.conversation_id AND seq = found.seq OFFSET 0
) AS m`;

/** Of a room, however small its share. */
const WALK_EACH = 4;
const MOST_ROOMS = 2000;

/**
 * Reads the newest messages of the caller's rooms backwards and finds up to `limit` of a rank among them, newest first,
 * and, where there are fewer, those of the `next` rank too. `edge` is how far back it has seen everything, in the rooms
 * that it read and in those that it left out; null where that was all. What it gives is complete after the edge. Gives
 * at least one row, empty where nothing was found.
 */
export function walkStatement(wanted: Omit<Wanted, 'rank'>, [first, next]: [Rank, Rank?], steps: Steps): Statement {
  const values = new Values(wanted.userId);
  const { reach, time, author } = filters(wanted, values);
  const fits = fitting(wanted, values);
  const ofRank = (rank: Rank, condition: string) =>
    `SELECT m.*, '${rank}' AS rank FROM fitting m WHERE ${condition} AND ${testOf({ ...wanted, rank }, values)} LIMIT ${limit}`;
  const start = startOf(wanted);
  const from = start === undefined ? 'now()' : `${values.put(start)}::timestamptz`;
  const limit = values.put(wanted.limit);
  // Of those that were still active at the start nothing says when they had been before.
  const active = `(SELECT least(count(*), ${MOST_ROOMS}) FROM place WHERE near = ${from})`;
  const rooms = start === undefined ? `${steps.rooms}` : `(${steps.rooms} + ${active})`;
  const begun = start === undefined ? 'true' : `(readable.begun_at <= ${from}) IS NOT FALSE`;
  const text = `
    WITH ${READABLE}, place AS MATERIALIZED (
      SELECT readable.id, readable.title, readable.server_id, c.kind,
        least(coalesce(readable.active_at, c.last_message_at), ${from}) AS near
      FROM readable LEFT JOIN LATERAL (
        SELECT kind, last_message_at FROM conversations WHERE id = readable.id AND readable.active_at IS NULL OFFSET 0
      ) AS c ON true
      WHERE ${reach} AND ${begun}
    ), picked AS MATERIALIZED (
      SELECT *, row_number() OVER (ORDER BY near DESC NULLS LAST) > ${rooms} AS left_out
      FROM place ORDER BY near DESC NULLS LAST LIMIT ${rooms} + 1
    ), walked AS MATERIALIZED (
      SELECT newest.*, newest.place = room.most AND room.most < room.size AS last, room.kind, room.title, room.server_id
      FROM (
        SELECT picked.*, c.size,
          ${WALK_EACH} + ceil(${steps.messages} * c.size / greatest(sum(c.size) OVER (), 1))::bigint AS most
        FROM picked CROSS JOIN LATERAL (
          SELECT last_seq - cleared_seq AS size FROM conversations WHERE id = picked.id OFFSET 0
        ) AS c
        WHERE NOT left_out
      ) room
      CROSS JOIN LATERAL (
        SELECT m.conversation_id, m.seq, m.id, m.created_at, m.content, m.author_id, m.agent_id, m.attachments,
          row_number() OVER (ORDER BY m.created_at DESC, m.id DESC) AS place
        FROM messages m WHERE m.conversation_id = room.id AND ${time}
        ORDER BY m.created_at DESC, m.id DESC LIMIT room.most
      ) newest
    ), edge AS MATERIALIZED (
      SELECT (SELECT max(near) FROM picked) AS start, greatest(
        (SELECT max(created_at) FILTER (WHERE last) FROM walked), (SELECT near FROM picked WHERE left_out)
      ) AS edge
    ), fitting AS MATERIALIZED (
      SELECT m.* FROM walked m
      WHERE (${fits}) AND ${author} AND m.created_at > (SELECT coalesce(edge, '-infinity') FROM edge)
      ORDER BY m.created_at DESC, m.id DESC
    ), found AS MATERIALIZED (
      ${ofRank(first, 'true')}
    ), rest AS MATERIALIZED (
      ${next ? ofRank(next, `(SELECT count(*) FROM found) < ${limit}`) : 'SELECT * FROM found WHERE false'}
    )
    SELECT edge.start, edge.edge, found.rank, ${messageColumns('$1')}, found.title AS "roomTitle", found.server_id AS "roomServerId",
      coalesce(found.kind, 'thread') AS "roomKind"
    FROM edge LEFT JOIN (SELECT * FROM found UNION ALL SELECT * FROM rest) AS found ON true
    LEFT JOIN ${EACH_FOUND} ON true ${MESSAGE_JOINS}
    ORDER BY found.created_at DESC, found.id DESC`;
  return { text, values: values.list };
}

/**
 * Finds up to `limit` messages of a window, newest first, by an index over the words (or trigrams) of all messages.
 * Where the window has two ends the index over time leaves out most of what is common.
 * `IS TRUE` keeps the planner, which takes the rare for rarer than it is, from asking room by room for each message,
 * and from a second index for what the first has found.
 */
export function lookUpStatement(wanted: Wanted, { until, after }: Window): Statement {
  const values = new Values(wanted.userId);
  const { reach, time, author } = filters(wanted, values);
  const fits = fitting(wanted, values);
  const lookUp = lookUpOf(wanted, values);
  const test = wanted.rank === 'words' ? 'true' : testOf(wanted, values);
  const window = all([
    `m.created_at <= ${values.put(until)}::timestamptz`,
    after && `m.created_at > ${values.put(after)}::timestamptz`,
  ]);
  const limit = values.put(wanted.limit);
  const text = `
    WITH ${READABLE}, reach AS MATERIALIZED (
      SELECT id, title, server_id FROM readable WHERE ${reach}
    ), found AS MATERIALIZED (
      SELECT m.conversation_id, m.seq, m.created_at, m.id FROM messages m
      WHERE m.content IS NOT NULL AND ${lookUp} AND (${fits}) IS TRUE AND (${test}) IS TRUE AND ${author} AND ${time} AND ${window}
        AND (m.conversation_id IN (SELECT id FROM reach)) IS TRUE
      ORDER BY m.created_at DESC, m.id DESC LIMIT ${limit}
    )
    SELECT ${messageColumns('$1')}, c.kind AS "roomKind", reach.title AS "roomTitle", reach.server_id AS "roomServerId"
    FROM found JOIN reach ON reach.id = found.conversation_id JOIN conversations c ON c.id = found.conversation_id
    CROSS JOIN ${EACH_FOUND} ${MESSAGE_JOINS}
    ORDER BY found.created_at DESC, found.id DESC`;
  return { text, values: values.list };
}

/** False where nothing that is wanted has a trigram or a pair: then only reading finds it. */
export function hasLookUp({ rank, groups }: Wanted): boolean {
  return rank === 'words' || groups.every(({ wanted }) => wanted.some(canBeLookedUp));
}

/** From where on it is read backwards; nothing for now. */
function startOf({ before, behind }: Pick<Wanted, 'before' | 'behind'>): string | undefined {
  return behind?.createdAt ?? before;
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

function filters({ in: place, from, before, after, has, behind }: Omit<Wanted, 'rank'>, values: Values) {
  const reach = place === undefined ? '' : values.put(place);
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
    reach: place === undefined ? 'true' : `(readable.id = ${reach}::uuid OR readable.server_id = ${reach}::uuid)`,
    time: all(time),
    author: all(author),
  };
}

function fitting({ groups }: Pick<Wanted, 'groups'>, values: Values): string {
  return all(
    groups.map((group) => holdsPieces(group, values)),
    ' OR ',
  );
}

/** What every found message has, whatever its rank: cheap to see for each of the many that are walked. */
function holdsPieces({ wanted, unwanted }: Group, values: Values): string {
  return all([
    ...wanted.flatMap(piecesOf).map((piece) => like(piece, values)),
    ...unwanted.map((text) => `NOT ${like(text, values)}`),
  ]);
}

/** True of what has the rank. */
function testOf({ rank, groups }: Wanted, values: Values): string {
  const words = wordsOf(groups, values);
  if (rank === 'words') return words;
  return `NOT ${words} AND (${all(
    groups.map((group) => holdsPhrases(group, values)),
    ' OR ',
  )})`;
}

/** Implied by the test of the rank, and has an index. */
function lookUpOf({ rank, groups }: Wanted, values: Values): string {
  if (rank === 'words') return wordsOf(groups, values);
  return `(${all(
    groups.map((group) => partsOf(group, values)),
    ' OR ',
  )})`;
}

function wordsOf(groups: Group[], values: Values): string {
  return `message_words(m.content) @@ (${groups.map((group) => queryOf(group, values)).join(' || ')})`;
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
function partsOf({ wanted }: Group, values: Values): string {
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
