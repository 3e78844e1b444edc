import type { ConversationKind } from '../../conversations/conversation.entity.js';
import type { Tx } from '../../platform/database/unit-of-work.js';
import type { MessageRow } from '../message.presenter.js';
import {
  hasLookUp,
  lookUpStatement,
  type Rank,
  type Steps,
  type Wanted,
  walkStatement,
  type Window,
} from './search-statement.js';

export type FoundRow = MessageRow & {
  rank: Rank;
  /** By reading backwards, or by an index over all messages. */
  foundBy: 'walk' | 'index';
  roomKind: ConversationKind;
  roomTitle: string | null;
  roomServerId: string | null;
};

/** Nobody asked for a place in the list yet: both ranks begin with it. */
export type Glance = Record<Rank, Walk>;

/** What a walk has found from `start`, when something was said last, back to `edge`: null at the end of everything. */
export interface Walk {
  rows: FoundRow[];
  start: Date | null;
  edge: Date | null;
}

const GLANCE: Steps = { messages: 600, rooms: 60 };
/** Reading so many times as much still costs less than an index. */
const FURTHER = 3;
/** For what no index finds. */
const FARTHEST = 8;
/** What is spread unevenly is found all the same. */
const MARGIN = 2;

/**
 * Finds up to `limit` messages of a rank, newest first.
 *
 * What is common is found at once by reading backwards; what is rare is found by an index over all messages. Either
 * alone is slow where the other is fast, and no planner can know what is common to this person in their rooms. So a
 * glance at the newest messages comes first, and how much it has found says how to go on: read a little further, ask
 * the index for as far back as the page should reach, or, for what the glance has not seen at all, for everything.
 * A page behind one that the index found goes on with the index.
 */
export async function find(tx: Tx, wanted: Wanted, glance?: Walk): Promise<FoundRow[]> {
  const { limit, behind } = wanted;
  if (behind?.expected && hasLookUp(wanted))
    return lookUpAll(tx, wanted, [], windows(new Date(behind.createdAt), new Date(behind.expected)));
  let seen = glance ? { ...glance, rows: glance.rows.slice(0, limit) } : await walk(tx, wanted, GLANCE);
  const times = seen.rows.length > 0 ? (MARGIN * limit) / seen.rows.length : Infinity;
  const further = hasLookUp(wanted) ? times : Math.min(times, FARTHEST);
  if (!isDone(seen, limit) && (further <= FURTHER || !hasLookUp(wanted)))
    seen = await walk(tx, wanted, timesAsFar(further));
  const { rows, edge } = seen;
  if (!edge || isDone(seen, limit) || !hasLookUp(wanted)) return rows;
  const walked = (seen.start ?? edge).getTime() - edge.getTime();
  return lookUpAll(tx, wanted, rows, windows(edge, earlier(edge, walked, times)));
}

/** How far back the page behind `rows` should reach, going by how far these did. */
export function expectedBehind(rows: FoundRow[]): string | undefined {
  const last = rows.at(-1);
  if (!last || last.foundBy === 'walk') return undefined;
  const first = rows.find(({ rank }) => rank === last.rank) ?? last;
  return earlier(last.createdAt, first.createdAt.getTime() - last.createdAt.getTime(), MARGIN)?.toISOString();
}

function isDone({ rows, edge }: Walk, limit: number): boolean {
  return rows.length === limit || edge === null;
}

function timesAsFar(times: number): Steps {
  return { messages: Math.ceil(GLANCE.messages * times), rooms: Math.ceil(GLANCE.rooms * times) };
}

/** First as far as the page should reach, going by what was found until now; then all. */
function windows(until: Date, after: Date | undefined): Window[] {
  return after ? [{ until, after }, { until: after }] : [{ until }];
}

/** Nothing where that is before all times. */
function earlier(time: Date, span: number, times: number): Date | undefined {
  const at = time.getTime() - times * Math.max(0, span);
  return at >= 0 ? new Date(at) : undefined;
}

/** The first glance for both ranks at once: what it reads is the same for each. Parts are looked for where words do not do. */
export async function glanceAt(tx: Tx, wanted: Omit<Wanted, 'rank'>): Promise<Glance> {
  const { text, values } = walkStatement(wanted, ['words', 'parts'], GLANCE);
  return seenIn(isPlain(wanted) ? await tx.prepared(text, values) : await tx.query(text, values));
}

/** Most searches: of so few forms that their plans can be kept. To plan takes a third of the time. */
function isPlain({ groups, in: place, from, before, after, has, behind }: Omit<Wanted, 'rank'>): boolean {
  const [{ wanted, unwanted } = { wanted: [], unwanted: [] }, another] = groups;
  const isFiltered = [another, place, from, before, after, has, behind].some((filter) => filter !== undefined);
  return !isFiltered && unwanted.length === 0 && wanted.length <= 3 && wanted.every(({ phrase }) => !phrase);
}

async function walk(tx: Tx, wanted: Wanted, steps: Steps): Promise<Walk> {
  const { text, values } = walkStatement(wanted, [wanted.rank], steps);
  return seenIn(await tx.query(text, values))[wanted.rank];
}

function seenIn(rows: (FoundRow & Omit<Walk, 'rows'>)[]): Glance {
  const [first] = rows;
  if (!first) throw new Error('a walk gives where it has been');
  const { start, edge } = first;
  const found = rows.map((row): FoundRow => ({ ...row, foundBy: 'walk' }));
  const of = (rank: Rank): Walk => ({ rows: found.filter((row) => row.rank === rank), start, edge });
  return { words: of('words'), parts: of('parts') };
}

/** Adds to `rows` what each window has, until there are enough. */
async function lookUpAll(tx: Tx, wanted: Wanted, rows: FoundRow[], windows: Window[]): Promise<FoundRow[]> {
  for (const window of windows) {
    rows.push(...(await lookUp(tx, { ...wanted, limit: wanted.limit - rows.length }, window)));
    if (rows.length === wanted.limit) break;
  }
  return rows;
}

async function lookUp(tx: Tx, wanted: Wanted, window: Window): Promise<FoundRow[]> {
  const { text, values } = lookUpStatement(wanted, window);
  // Only where one index alone can answer: how it goes together with another depends on what is looked for.
  const isAlwaysAlike = wanted.rank === 'words' && !window.after && isPlain(wanted);
  const rows = await (isAlwaysAlike ? tx.prepared<FoundRow>(text, values) : tx.query<FoundRow>(text, values));
  return rows.map((row) => ({ ...row, rank: wanted.rank, foundBy: 'index' }));
}
