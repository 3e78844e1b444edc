import { Injectable } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import type { Reader } from '../access/pass.js';
import type { ConversationKind } from '../conversations/conversation.entity.js';
import { ConversationState, STATE_COLUMNS, type ThreadParent } from '../conversations/conversation-state.js';
import {
  NotificationsView,
  presentSetting,
  settingFor,
  type SettingRow,
} from '../conversations/notification-settings.js';
import { MINE, MY_ROOMS, READABLE, UNREAD } from '../conversations/mine.js';
import { Database } from '../platform/database/database.js';
import { type Page, pageOf, type PageQuery, readCursor } from '../platform/http/paging.js';
import { Problem } from '../platform/http/problem.js';
import { MESSAGE_JOINS, messageColumns, type MessageRow, MessageView, presentMessage } from './message.presenter.js';
import { READ_TIME } from './read-times.js';

/** A room as the inbox lists it. */
export class InboxItem extends ConversationState {
  @ApiProperty({ type: MessageView, nullable: true }) lastMessage: MessageView | null;
  @ApiProperty({ type: String, nullable: true, format: 'date-time' }) lastMessageAt: string | null;
  @ApiProperty({ description: 'What of it you are notified of.' }) notifications: NotificationsView;
}

type InboxRow = MessageRow &
  SettingRow & {
    roomId: string;
    kind: ConversationKind;
    title: string | null;
    serverId: string | null;
    parent: ThreadParent | null;
    lastSeq: number;
    lastRev: number;
    lastReadSeq: number;
    unread: number;
    unreadMentions: number;
    lastMessageAt: Date | null;
    activity: Date;
  };

/** Shows the rooms of `page`, which is cut before anything is counted in them. */
const shown = (page: string) => `
  WITH ${page}, room AS (
    SELECT ${STATE_COLUMNS}, c.last_message_at, c.activity, setting.*
    FROM page AS c CROSS JOIN LATERAL (SELECT c.title, c.server_id, c.parent_id, c.message_id) AS mine ${UNREAD}
    LEFT JOIN LATERAL (
      ${settingFor('c.id', 'c.parent_id', 'c.server_id')}
    ) AS setting ON true
  )
  SELECT room.id AS "roomId", room.kind, room.title, room."serverId", room.parent, room."lastSeq",
    room.rev AS "lastRev", room."lastReadSeq", room.unread, room.mentions AS "unreadMentions",
    room.last_message_at AS "lastMessageAt", room.activity, room.level, room."mutedUntil", room.inherited,
    ${messageColumns('$1')}, read."readAt"
  FROM room
  LEFT JOIN messages m ON m.conversation_id = room.id AND m.seq = room."lastSeq" ${MESSAGE_JOINS} ${READ_TIME}
  ORDER BY room.activity DESC, room.id DESC`;
const inboxOf = (mine: string) =>
  shown(`${mine}, page AS (
    SELECT c.*, mine.title, mine.server_id, mine.parent_id, mine.message_id,
      coalesce(c.last_message_at, c.created_at) AS activity
    FROM ${MY_ROOMS}
    WHERE ($2::text IS NULL OR c.kind = $2) AND ($3::uuid IS NULL OR c.id = $3)
      AND ($4::timestamptz IS NULL OR (coalesce(c.last_message_at, c.created_at), c.id) < ($4, $5::uuid))
    ORDER BY activity DESC, c.id DESC LIMIT $6
  )`);
const INBOX = inboxOf(MINE);
/** A thread can be read by who does not take part in it. */
const ONE = inboxOf(`${READABLE}, mine AS (SELECT * FROM readable WHERE id = $3)`);
const THREADS = shown(`page AS (
    SELECT c.*, NULL AS title, $2::uuid AS server_id, t.active_at AS activity, t.parent_id, t.message_id
    FROM (
      SELECT * FROM threads
      WHERE parent_id = $3 AND ($4::timestamptz IS NULL OR (active_at, id) < ($4, $5::uuid))
      ORDER BY active_at DESC, id DESC LIMIT $6
    ) t CROSS JOIN LATERAL (SELECT * FROM conversations WHERE id = t.id OFFSET 0) AS c
  )`);

/** The rooms of a person, latest activity first, in one query. */
@Injectable()
export class InboxService {
  constructor(private readonly database: Database) {}

  list(userId: string, kind: ConversationKind | undefined, page: PageQuery): Promise<Page<InboxItem>> {
    return this.page(INBOX, [userId, kind ?? null, null], page);
  }

  /** Of a room, latest activity first, whoever takes part in them. */
  threads({ room, actor }: Reader, page: PageQuery): Promise<Page<InboxItem>> {
    return this.page(THREADS, [actor.userId, room.serverId, room.id], page);
  }

  /** One of them. Throws 404 where it is gone meanwhile. */
  async one({ room, actor }: Reader): Promise<InboxItem> {
    const row = await this.database.one<InboxRow>(ONE, [actor.userId, null, room.id, null, null, 1]);
    if (!row) throw Problem.notFound('This conversation');
    return present(row);
  }

  private async page(sql: string, keys: unknown[], { limit, cursor }: PageQuery): Promise<Page<InboxItem>> {
    const [activity, id] = readCursor(cursor, ['time', 'id']) ?? [];
    const rows = await this.database.prepared<InboxRow>(sql, [...keys, activity ?? null, id ?? null, limit + 1]);
    return pageOf(rows, limit, (row) => [row.activity.toISOString(), row.roomId], present);
  }
}

function present(row: InboxRow): InboxItem {
  return {
    id: row.roomId,
    kind: row.kind,
    title: row.title,
    serverId: row.serverId,
    parent: row.parent,
    lastMessage: row.id === null ? null : presentMessage(row),
    lastMessageAt: row.lastMessageAt?.toISOString() ?? null,
    lastSeq: row.lastSeq,
    rev: row.lastRev,
    lastReadSeq: row.lastReadSeq,
    unread: row.unread,
    mentions: row.unreadMentions,
    notifications: presentSetting(row, row.serverId !== null),
  };
}
