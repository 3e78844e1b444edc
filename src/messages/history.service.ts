import { Injectable } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import type { Room } from '../access/facts.js';
import type { Reader } from '../access/pass.js';
import { arrayAt, Database } from '../platform/database/database.js';
import { Problem } from '../platform/http/problem.js';
import {
  MESSAGE_JOINS,
  messageColumns,
  messageColumnsForMany,
  type MessageRow,
  MessageView,
  presentMessage,
} from './message.presenter.js';
import { withReadTimes } from './read-times.js';

/** Where a page of history lies: by seq, or the newest where nothing is said. */
export interface Place {
  before?: number | undefined;
  after?: number | undefined;
  around?: number | undefined;
}

/** The newest message that there was, for this node alone: JSON leaves it out. */
export const LAST_SEQ = Symbol('lastSeq');

/** The difference between what a client has and what is. */
export class Changes {
  [LAST_SEQ]: number;
  @ApiProperty({ type: [MessageView], description: 'In order of rev, each in its present state.' })
  items: MessageView[];
  @ApiProperty({ description: 'Ask on from here.', example: 57 }) rev: number;
  @ApiProperty({ description: 'There is more after `rev`.' }) more: boolean;
  @ApiProperty({ description: 'The cursor cannot be served: load the history anew.' }) reset: boolean;
  @ApiProperty({ description: 'Everything up to this seq was cleared away.', example: 0 }) clearedSeq: number;
}

/** Whoever reads: a person, to whom their own reactions are theirs, or an agent. */
type Viewer = Pick<Reader, 'room'> & Partial<Pick<Reader, 'actor'>>;

/** Of the room `$1`, as the person `$2` sees them. */
const SELECT = `SELECT ${messageColumns('$2')} FROM messages m ${MESSAGE_JOINS} WHERE m.conversation_id = $1`;

/** No page is longer, with the one message more that tells whether there are more. */
const LONGEST = 101;
const upTo = (place: string, order: string, limit: string) =>
  `SELECT * FROM (${SELECT} AND ${place} ORDER BY m.${order} LIMIT ${LONGEST}) AS page ORDER BY ${order} LIMIT ${limit}`;
const BEFORE = upTo('m.seq < $3', 'seq DESC', '$4');
const AFTER = upTo('m.seq > $3', 'seq', '$4');
const AROUND = `(${BEFORE}) UNION ALL (${upTo('m.seq >= $3', 'seq', '$5')}) ORDER BY seq`;

/**
 * The counters and the messages in one statement, so of one moment: a change or a purge between two would be missed,
 * and missed without a word.
 */
const changesUpTo = (most: number) => `
  SELECT c.last_rev AS "headRev", c.last_seq AS "lastSeq", c.cleared_seq AS "clearedSeq", c.floor_rev AS "floorRev", changed.*
  FROM conversations c
  LEFT JOIN LATERAL (
    SELECT * FROM (
      SELECT ${messageColumnsForMany(arrayAt(2))} FROM messages m ${MESSAGE_JOINS}
      WHERE m.conversation_id = $1 AND m.rev > $3 ORDER BY m.rev LIMIT ${most}
    ) AS page ORDER BY rev LIMIT $4
  ) AS changed ON true
  WHERE c.id = $1 ORDER BY changed.rev`;
const PAGE_OF_CHANGES = changesUpTo(LONGEST);
const MANY_CHANGES = changesUpTo(1_001);

type SharedRow = Omit<MessageRow, 'reacted'> & { reactedBy: Record<string, string[]> | null };
type ChangesRow = { headRev: number; lastSeq: number; clearedSeq: number; floorRev: number } & (
  SharedRow | { id: null }
);

/** Everything that is read of a room's messages. */
@Injectable()
export class HistoryService {
  constructor(private readonly database: Database) {}

  /** Gives up to `limit` messages, at most 100, in ascending seq, and whether there are more in the direction of the paging. */
  async page(viewer: Viewer, place: Place, limit: number): Promise<{ items: MessageView[]; more: boolean }> {
    const keys = keysOf(viewer);
    if (place.around !== undefined) return { items: await this.around(viewer, place.around, limit), more: false };
    const forward = place.after !== undefined;
    const rows = forward
      ? await this.rows(viewer.room, AFTER, [...keys, place.after, limit + 1])
      : await this.rows(viewer.room, BEFORE, [...keys, place.before ?? Number.MAX_SAFE_INTEGER, limit + 1]);
    const shown = rows.slice(0, limit).map(presentMessage);
    return { items: forward ? shown : shown.reverse(), more: rows.length > limit };
  }

  /**
   * The page before the `skip` newest. A seq has no gaps after what was cleared, since the deleted keep their place:
   * so skipping is subtracting, however far back, until a purge has taken some of them out.
   */
  async pageSkipping(viewer: Viewer, skip: number, limit: number): Promise<MessageView[]> {
    const head = await this.database.one<{ before: number | null }>(
      `SELECT CASE WHEN floor_rev = 0 THEN last_seq - $2::bigint + 1 ELSE (
         SELECT m.seq + 1 FROM messages m WHERE m.conversation_id = $1 ORDER BY m.seq DESC OFFSET $2 LIMIT 1
       ) END AS before FROM conversations WHERE id = $1`,
      [viewer.room.id, skip],
    );
    const before = head?.before ?? 0;
    return before > 1 ? (await this.page(viewer, { before }, limit)).items : [];
  }

  /** Everything that changed since `after`, at most 1,000, oldest change first, each message in its present state. */
  async changes({ room, actor }: Viewer, after: number, limit: number): Promise<Changes> {
    const seenBy = await this.changesForMany(room, actor ? [actor.userId] : [], after, limit);
    return seenBy(actor?.userId);
  }

  /** The same for many who have come equally far: read once, and told to each with the reactions of their own. */
  async changesForMany(
    room: Room,
    userIds: string[],
    after: number,
    limit: number,
  ): Promise<(userId: string | undefined) => Changes> {
    const text = limit < LONGEST ? PAGE_OF_CHANGES : MANY_CHANGES;
    const found = await this.database.prepared<ChangesRow>(text, [room.id, userIds, after, limit + 1]);
    const [head] = found;
    if (!head) throw Problem.notFound('This conversation');
    const { headRev, lastSeq, clearedSeq, floorRev } = head;
    const isLost = after > headRev || after < floorRev;
    if (isLost) return () => ({ items: [], rev: headRev, more: false, reset: true, clearedSeq, [LAST_SEQ]: lastSeq });
    const changed = found.filter((row): row is ChangesRow & SharedRow => row.id !== null);
    const rows = await withReadTimes(this.database, room, changed);
    const shown = rows.slice(0, limit).map((row) => ({ row, asOthersSeeIt: presentMessage({ ...row, reacted: [] }) }));
    const more = rows.length > limit;
    const rev = more ? (shown.at(-1)?.row.rev ?? after) : headRev;
    const items = shown.map((each) => each.asOthersSeeIt);
    const asOthersSeeThem = { items, rev, more, reset: false, clearedSeq, [LAST_SEQ]: lastSeq };
    return (userId = '') =>
      shown.some(({ row }) => row.reactedBy?.[userId])
        ? { ...asOthersSeeThem, items: shown.map((each) => seenBy(each, userId)) }
        : asOthersSeeThem;
  }

  /** As nobody in particular sees it. Throws 404. */
  async find(conversationId: string, messageId: string): Promise<MessageView> {
    const [row] = await this.database.prepared<MessageRow>(`${SELECT} AND m.id = $3`, [
      conversationId,
      null,
      messageId,
    ]);
    if (!row) throw Problem.notFound('This message');
    return presentMessage(row);
  }

  /** As its reader sees it. Throws 404. */
  async one(viewer: Viewer, messageId: string): Promise<MessageView> {
    const [row] = await this.rows(viewer.room, `${SELECT} AND m.id = $3`, [...keysOf(viewer), messageId]);
    if (!row) throw Problem.notFound('This message');
    return presentMessage(row);
  }

  private async around(viewer: Viewer, seq: number, limit: number): Promise<MessageView[]> {
    const half = Math.floor(limit / 2);
    const rows = await this.rows(viewer.room, AROUND, [...keysOf(viewer), seq, half, limit - half]);
    return rows.map(presentMessage);
  }

  private async rows(room: Room, sql: string, values: unknown[]): Promise<MessageRow[]> {
    return withReadTimes(this.database, room, await this.database.prepared<MessageRow>(sql, values));
  }
}

function keysOf({ room, actor }: Viewer): unknown[] {
  return [room.id, actor?.userId ?? null];
}

function seenBy({ row, asOthersSeeIt }: { row: SharedRow; asOthersSeeIt: MessageView }, userId: string): MessageView {
  const reacted = row.reactedBy?.[userId];
  return reacted ? presentMessage({ ...row, reacted }) : asOthersSeeIt;
}
