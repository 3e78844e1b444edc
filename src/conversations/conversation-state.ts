import { ApiProperty } from '@nestjs/swagger';
import type { ConversationKind } from './conversation.entity.js';

/** The message that a thread hangs on. */
export class ThreadParent {
  @ApiProperty({ format: 'uuid' }) conversationId: string;
  @ApiProperty({ format: 'uuid' }) messageId: string;
}

/** One of somebody's rooms with its counters, as `ready` and the inbox tell it. */
export class ConversationState {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty({ enum: ['session', 'channel', 'direct', 'thread'] }) kind: ConversationKind;
  @ApiProperty({ type: String, nullable: true }) title: string | null;
  @ApiProperty({ type: String, nullable: true, format: 'uuid' }) serverId: string | null;
  @ApiProperty({ type: ThreadParent, nullable: true, description: 'Of a thread.' }) parent: ThreadParent | null;
  @ApiProperty({ description: 'How many messages it has counted.', example: 41 }) lastSeq: number;
  @ApiProperty({ description: 'How many changes it has counted.', example: 57 }) rev: number;
  @ApiProperty({ description: "The caller's read marker.", example: 40 }) lastReadSeq: number;
  @ApiProperty({
    description: 'Exact up to 99, then 100 for more. Looked for among the newest 5,000 messages.',
    example: 1,
  })
  unread: number;
  @ApiProperty({ description: 'Unread messages that name the caller or everybody, counted alike.', example: 0 })
  mentions: number;
}

/** As much of it as says which room it is. */
export type ListedRoom = Pick<ConversationState, 'id' | 'serverId' | 'parent'>;

export const PARENT_COLUMN = `CASE WHEN mine.parent_id IS NOT NULL THEN
    json_build_object('conversationId', mine.parent_id, 'messageId', mine.message_id) END`;

/** The columns of ConversationState from `c`, `mine` and what UNREAD joins. */
export const STATE_COLUMNS = `
  c.id, c.kind, mine.title, mine.server_id AS "serverId",
  ${PARENT_COLUMN} AS parent,
  c.last_seq AS "lastSeq", c.last_rev AS rev,
  coalesce(marker.seq, 0) AS "lastReadSeq", counted.unread, naming.mentions`;

/** The state of a room that was made this moment. */
export function newState(room: Pick<ConversationState, 'id' | 'kind' | 'title' | 'serverId'>): ConversationState {
  return { ...room, parent: null, lastSeq: 0, rev: 0, lastReadSeq: 0, unread: 0, mentions: 0 };
}
