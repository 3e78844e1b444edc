import { Injectable } from '@nestjs/common';
import { auditInRoom } from '../../access/audit/audit.js';
import type { Pinner, Reader } from '../../access/pass.js';
import { Database } from '../../platform/database/database.js';
import { type Page, pageOf, type PageQuery, readCursor } from '../../platform/http/paging.js';
import { Problem } from '../../platform/http/problem.js';
import { MessageChanges } from '../message-changes.js';
import { MAX_PINS } from '../message.entity.js';
import {
  MESSAGE_JOINS,
  messageColumns,
  type MessageRow,
  type MessageView,
  presentMessage,
} from '../message.presenter.js';
import { MessageUpdated } from '../messages.events.js';

/** What a conversation keeps at hand. */
@Injectable()
export class PinsService {
  constructor(
    private readonly database: Database,
    private readonly changes: MessageChanges,
  ) {}

  /** Twice is once. Throws 404, 409 `message_deleted` and `too_many_pins`. */
  async pin(pinner: Pinner, messageId: string): Promise<MessageView> {
    return this.changes.one(pinner, messageId, MessageUpdated, async (tx, message) => {
      if (message.content === null) throw Problem.conflict('message_deleted', 'This message is deleted.');
      if (message.pinnedAt) return false;
      const [pinned] = await tx.query<{ count: number }>(
        `SELECT count(*) FROM messages WHERE conversation_id = $1 AND pinned_at IS NOT NULL`,
        [message.conversationId],
      );
      if (pinned && pinned.count >= MAX_PINS) {
        throw Problem.conflict('too_many_pins', `A conversation keeps ${MAX_PINS} pinned messages.`);
      }
      await tx.query(`UPDATE messages SET pinned_at = clock_timestamp() WHERE conversation_id = $1 AND id = $2`, [
        message.conversationId,
        messageId,
      ]);
      await auditInRoom(tx, pinner, 'message.pinned', [messageId]);
      return true;
    });
  }

  /** Twice is once. Throws 404. */
  async unpin(pinner: Pinner, messageId: string): Promise<MessageView> {
    return this.changes.one(pinner, messageId, MessageUpdated, async (tx, message) => {
      if (!message.pinnedAt) return false;
      await tx.query(`UPDATE messages SET pinned_at = NULL WHERE conversation_id = $1 AND id = $2`, [
        message.conversationId,
        messageId,
      ]);
      await auditInRoom(tx, pinner, 'message.unpinned', [messageId]);
      return true;
    });
  }

  /** The one pinned last comes first. */
  async list({ room, actor }: Reader, { limit, cursor }: PageQuery): Promise<Page<MessageView>> {
    const [pinnedAt, seq] = readCursor(cursor, ['time', 'number']) ?? [];
    const rows = await this.database.query<MessageRow>(
      `SELECT ${messageColumns('$2')} FROM messages m ${MESSAGE_JOINS}
       WHERE m.conversation_id = $1 AND m.pinned_at IS NOT NULL
         AND ($3::timestamptz IS NULL OR (m.pinned_at, m.seq) < ($3, $4::bigint))
       ORDER BY m.pinned_at DESC, m.seq DESC LIMIT $5`,
      [room.id, actor.userId, pinnedAt ?? null, seq ?? null, limit + 1],
    );
    return pageOf(rows, limit, ({ pinnedAt, seq }) => [pinnedAt?.toISOString() ?? '', seq], presentMessage);
  }
}
