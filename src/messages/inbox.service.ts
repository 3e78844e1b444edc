import { Injectable } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import type { Reader } from '../access/pass.js';
import type { ConversationKind } from '../conversations/conversation.entity.js';
import { ConversationState, STATE_COLUMNS, type ThreadParent } from '../conversations/conversation-state.js';
import { MINE, READABLE, UNREAD } from '../conversations/mine.js';
import { Database } from '../platform/database/database.js';
import { type Page, pageOf, type PageQuery, readCursor } from '../platform/http/paging.js';
import { Problem } from '../platform/http/problem.js';
import { MESSAGE_JOINS, messageColumns, type MessageRow, MessageView, presentMessage } from './message.presenter.js';
import { READ_TIME } from './read-times.js';

/** A room as the inbox lists it. */
export class InboxItem extends ConversationState {
  @ApiProperty({ type: MessageView, nullable: true }) lastMessage: MessageView | null;
  @ApiProperty({ type: String, nullable: true, format: 'date-time' }) lastMessageAt: string | null;
}

type InboxRow = MessageRow & {
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

/** The page is cut before anything is counted in its rooms. */
const inboxOf = (mine: string) => `
  WITH ${mine}, page AS (
    SELECT c.id, coalesce(c.last_message_at, c.created_at) AS activity
    FROM mine JOIN conversations c ON c.id = mine.id
    WHERE ($2::text IS NULL OR c.kind = $2) AND ($3::uuid IS NULL OR c.id = $3)
      AND ($4::timestamptz IS NULL OR (coalesce(c.last_message_at, c.created_at), c.id) < ($4, $5::uuid))
    ORDER BY activity DESC, c.id DESC LIMIT $6
  ), room AS (
    SELECT ${STATE_COLUMNS}, c.last_message_at, page.activity
    FROM page JOIN mine ON mine.id = page.id JOIN conversations c ON c.id = page.id ${UNREAD}
  )
  SELECT room.id AS "roomId", room.kind, room.title, room."serverId", room.parent, room."lastSeq",
    room.rev AS "lastRev", room."lastReadSeq", room.unread, room.mentions AS "unreadMentions",
    room.last_message_at AS "lastMessageAt", room.activity,
    ${messageColumns('$1')}, read."readAt"
  FROM room
  LEFT JOIN messages m ON m.conversation_id = room.id AND m.seq = room."lastSeq" ${MESSAGE_JOINS} ${READ_TIME}
  ORDER BY room.activity DESC, room.id DESC`;
const INBOX = inboxOf(MINE);
/** A thread can be read by who does not take part in it. */
const ONE = inboxOf(`${READABLE}, mine AS (SELECT * FROM readable WHERE id = $3)`);

/** The rooms of a person, latest activity first, in one query. */
@Injectable()
export class InboxService {
  constructor(private readonly database: Database) {}

  async list(userId: string, kind: ConversationKind | undefined, page: PageQuery): Promise<Page<InboxItem>> {
    const [activity, id] = readCursor(page.cursor, ['time', 'id']) ?? [];
    const values = [userId, kind ?? null, null, activity ?? null, id ?? null, page.limit + 1];
    const rows = await this.database.query<InboxRow>(INBOX, values);
    return pageOf(rows, page.limit, (row) => [row.activity.toISOString(), row.roomId], present);
  }

  /** One of them. Throws 404 where it is gone meanwhile. */
  async one({ room, actor }: Reader): Promise<InboxItem> {
    const row = await this.database.one<InboxRow>(ONE, [actor.userId, null, room.id, null, null, 1]);
    if (!row) throw Problem.notFound('This conversation');
    return present(row);
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
  };
}
