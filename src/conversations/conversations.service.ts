import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import { audienceOf, inside, rulingKind } from '../access/facts.js';
import type { Reader } from '../access/pass.js';
import { arrayAt, Database } from '../platform/database/database.js';
import { together } from '../platform/database/together.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { EventBus } from '../platform/events/event-bus.js';
import type { Topic } from '../platform/events/event.js';
import { unlessBroken } from '../platform/http/database-problem.js';
import { Problem } from '../platform/http/problem.js';
import type { ConversationKind } from './conversation.entity.js';
import { ConversationRead } from './conversations.events.js';
import { type ConversationState, type ListedRoom, PARENT_COLUMN, STATE_COLUMNS } from './conversation-state.js';
import { MINE, MINE_UNNAMED, MY_ROOMS, ofEach, UNREAD } from './mine.js';

const MOVE = `
  INSERT INTO read_markers AS marker (conversation_id, user_id, seq)
  SELECT id, $2, least($3, last_seq) FROM conversations WHERE id = $1
  ON CONFLICT (conversation_id, user_id) DO UPDATE SET seq = excluded.seq, updated_at = now()
    WHERE marker.seq < excluded.seq
  RETURNING seq`;

const MARK = `WITH moved AS (${MOVE}) SELECT seq, NULL::timestamptz AS "readAt" FROM moved`;

/** In a peer session each step of a side is kept with its time, for the other side. */
const MARK_IN_SESSION = `
  WITH moved AS (${MOVE}), step AS (
    INSERT INTO read_times (conversation_id, by_owner, seq)
    SELECT s.id, s.owner_id = $2, moved.seq FROM moved JOIN sessions s ON s.id = $1 AND s.type = 'peer'
    WHERE NOT EXISTS (
      SELECT 1 FROM read_times t
      WHERE t.conversation_id = s.id AND t.by_owner = (s.owner_id = $2) AND t.seq >= moved.seq)
    ON CONFLICT DO NOTHING
    RETURNING read_at
  )
  SELECT seq, (SELECT read_at FROM step) AS "readAt" FROM moved`;

/** Every room of the person `$1` with its counters. */
const STATES = `WITH ${MINE} SELECT ${STATE_COLUMNS} FROM ${MY_ROOMS} ${UNREAD}`;

/** Of how many people the rooms are read in one query. Whoever has more than so many is read by themselves: nobody else waits for that. */
const MOST_AT_ONCE = 32;
const MOST_ROOMS = 1_000;
const MANY_AT_ONCE = 4;
const ROOMS_OF_EACH = ofEach(
  `WITH ${MINE_UNNAMED} SELECT id, server_id AS "serverId", ${PARENT_COLUMN} AS parent FROM mine`,
);
const STATES_OF_EACH = ofEach(`${STATES} LIMIT ${MOST_ROOMS + 1}`);

@Injectable()
export class ConversationsService {
  constructor(
    private readonly database: Database,
    private readonly bus: EventBus,
  ) {}

  /** Makes the row that the session, channel or direct of the same id hangs on. */
  async create(tx: Tx, id: string, kind: ConversationKind, closed = false): Promise<void> {
    await tx.query(`INSERT INTO conversations (id, kind, closed) VALUES ($1, $2, $3)`, [id, kind, closed]);
  }

  /** Every room of a person with its counters, in one query. */
  async statesOf(userId: string): Promise<ConversationState[]> {
    const states = (await this.readStates(userId)) ?? [];
    if (states.length <= MOST_ROOMS) return states;
    return this.inTurn(() => this.database.prepared<ConversationState>(STATES, [userId]));
  }

  private readonly inTurn = pLimit(MANY_AT_ONCE);

  private readonly readStates = together(async (userIds) => {
    const rows = await this.database.prepared<ConversationState & { userId: string }>(STATES_OF_EACH, [userIds]);
    const states = new Map<string, ConversationState[]>(userIds.map((userId) => [userId, []]));
    for (const { userId, ...state } of rows) states.get(userId)?.push(state);
    return states;
  }, MOST_AT_ONCE);

  /** Which rooms are listed as somebody's, and no more of them: that costs little. */
  async roomsOf(userId: string): Promise<ListedRoom[]> {
    return (await this.readRooms(userId)) ?? [];
  }

  private readonly readRooms = together(async (userIds) => {
    const rows = await this.database.prepared<ListedRoom & { userId: string }>(ROOMS_OF_EACH, [userIds]);
    const rooms = new Map<string, ListedRoom[]>(userIds.map((userId) => [userId, []]));
    for (const { userId, ...room } of rows) rooms.get(userId)?.push(room);
    return rooms;
  }, MOST_AT_ONCE);

  /** The servers somebody is a member of: whose topics their sockets listen to. */
  async serversOf(userId: string): Promise<string[]> {
    return (await this.readServers(userId)) ?? [];
  }

  private readonly readServers = together(async (userIds) => {
    const rows = await this.database.prepared<{ userId: string; ids: string[] }>(
      `SELECT user_id AS "userId", array_agg(server_id) AS ids FROM memberships
       WHERE user_id = ANY(${arrayAt(1)}) GROUP BY user_id`,
      [userIds],
    );
    return new Map(rows.map(({ userId, ids }) => [userId, ids]));
  });

  /** The rooms of one server as this person has them, inside the transaction that made them theirs. */
  async statesIn(tx: Tx, serverId: string, userId: string): Promise<ConversationState[]> {
    return tx.query<ConversationState>(`${STATES} WHERE mine.server_id = $2`, [userId, serverId]);
  }

  /** One room of a person and the threads on it that are theirs, inside the transaction that made it theirs. */
  async statesWithin(tx: Tx, id: string, userId: string): Promise<ConversationState[]> {
    return tx.query<ConversationState>(`${STATES} WHERE $2 IN (mine.id, mine.parent_id)`, [userId, id]);
  }

  /** One room of a person, inside the transaction that made it theirs where there is one. */
  async stateOf(id: string, userId: string, database: Tx | Database = this.database): Promise<ConversationState> {
    const state = await database.one<ConversationState>(`${STATES} WHERE mine.id = $2`, [userId, id]);
    if (!state) throw Problem.notFound('This conversation');
    return state;
  }

  /**
   * Moves the caller's marker to `seq` or the end of the room, never backwards. Gives where it stands. Throws 404 where the
   * room is gone meanwhile, 401 where the account is.
   */
  async markRead({ room, actor }: Reader, seq: number): Promise<number> {
    const moving = this.database.prepared<{ seq: number; readAt: Date | null }>(
      room.kind === 'session' ? MARK_IN_SESSION : MARK,
      [room.id, actor.userId, seq],
    );
    const [moved] = await unlessBroken(moving, {
      read_markers_conversation_fk: () => Problem.notFound('This conversation'),
      read_markers_user_fk: () => Problem.unauthorized('This account is gone.'),
    });
    if (!moved) return this.markerOf(room.id, actor.userId);
    // A channel's members would hear each other scroll: there only the reader's own devices are told.
    const own: Topic = `user:${actor.userId}`;
    const audience = rulingKind(room) === 'channel' ? [own] : audienceOf(room);
    const step = { conversationId: room.id, userId: actor.userId, seq: moved.seq };
    const { readAt } = moved;
    const read = ConversationRead(audience, readAt ? { ...step, readAt: readAt.toISOString() } : step);
    this.bus.publish(inside(room, read));
    return moved.seq;
  }

  private async markerOf(conversationId: string, userId: string): Promise<number> {
    const marker = await this.database.one<{ seq: number }>(
      `SELECT seq FROM read_markers WHERE conversation_id = $1 AND user_id = $2`,
      [conversationId, userId],
    );
    // Whoever moves none has one, or there is no room.
    if (!marker) throw Problem.notFound('This conversation');
    return marker.seq;
  }
}
