import { Injectable } from '@nestjs/common';
import type { Reader, Writer } from '../../access/pass.js';
import { Database } from '../../platform/database/database.js';
import type { Tx } from '../../platform/database/unit-of-work.js';
import { type Page, pageOf, type PageQuery, readCursor } from '../../platform/http/paging.js';
import { Problem } from '../../platform/http/problem.js';
import { DELETED_USER, presentProfile, type Profile, PROFILE_COLUMNS } from '../../users/profile.presenter.js';
import { HistoryService } from '../history.service.js';
import { MessageChanges } from '../message-changes.js';
import type { ReactionCount } from '../message.entity.js';
import type { MessageRow, MessageView } from '../message.presenter.js';
import { MessageUpdated } from '../messages.events.js';
import { MAX_KINDS } from './reaction.entity.js';

type ReactorRow = { [Field in keyof Profile]: Profile[Field] | null } & { rev: number };

/** What people answer without words. Each change of it is a change of the message. */
@Injectable()
export class ReactionsService {
  constructor(
    private readonly database: Database,
    private readonly changes: MessageChanges,
    private readonly history: HistoryService,
  ) {}

  /** Twice is once. Throws 404, 409 `message_deleted` and, where a new kind would be one too many, `too_many_reactions`. */
  async add(writer: Writer, messageId: string, emoji: string): Promise<MessageView> {
    return this.changes.one(writer, messageId, MessageUpdated, async (tx, message, rev) => {
      if (message.content === null) throw Problem.conflict('message_deleted', 'This message is deleted.');
      if (message.reacted?.includes(emoji)) return false;
      const counts = withOneMore(message.reactions ?? [], emoji);
      if (counts.length > MAX_KINDS) {
        throw Problem.conflict('too_many_reactions', `A message takes ${MAX_KINDS} kinds of reaction.`);
      }
      await tx.prepared(
        `INSERT INTO reactions (conversation_id, message_id, emoji, rev, user_id) VALUES ($1, $2, $3, $4, $5)`,
        [message.conversationId, messageId, emoji, rev, writer.actor.userId],
      );
      await storeCounts(tx, message, counts);
      return true;
    });
  }

  /** Takes the caller's own back. Twice is once. Throws 404. */
  async remove(writer: Writer, messageId: string, emoji: string): Promise<MessageView> {
    return this.changes.one(writer, messageId, MessageUpdated, async (tx, message) => {
      if (!message.reacted?.includes(emoji)) return false;
      await tx.prepared(
        `DELETE FROM reactions WHERE conversation_id = $1 AND message_id = $2 AND user_id = $3 AND emoji = $4`,
        [message.conversationId, messageId, writer.actor.userId, emoji],
      );
      await storeCounts(tx, message, withOneLess(message.reactions ?? [], emoji));
      return true;
    });
  }

  /** Who chose it, in the order in which they did. Throws 404. */
  async list({ room }: Reader, messageId: string, emoji: string, page: PageQuery): Promise<Page<Profile>> {
    const [after] = readCursor(page.cursor, ['number']) ?? [0];
    await this.history.find(room.id, messageId);
    const rows = await this.database.query<ReactorRow>(
      `SELECT r.rev, ${PROFILE_COLUMNS}
       FROM reactions r LEFT JOIN users u ON u.id = r.user_id
       WHERE r.conversation_id = $1 AND r.message_id = $2 AND r.emoji = $3 AND r.rev > $4 ORDER BY r.rev LIMIT $5`,
      [room.id, messageId, emoji, after, page.limit + 1],
    );
    return pageOf(rows, page.limit, ({ rev }) => [rev], presentReactor);
  }
}

function withOneMore(counts: ReactionCount[], emoji: string): ReactionCount[] {
  if (!counts.some((kind) => kind.emoji === emoji)) return [...counts, { emoji, count: 1 }];
  return counts.map((kind) => (kind.emoji === emoji ? { emoji, count: kind.count + 1 } : kind));
}

function withOneLess(counts: ReactionCount[], emoji: string): ReactionCount[] {
  return counts
    .map((kind) => (kind.emoji === emoji ? { emoji, count: kind.count - 1 } : kind))
    .filter(({ count }) => count > 0);
}

/** The counts were read under the room's lock: nobody else has changed them since. */
async function storeCounts(tx: Tx, { conversationId, id }: MessageRow, counts: ReactionCount[]): Promise<void> {
  await tx.prepared(`UPDATE messages SET reactions = $3 WHERE conversation_id = $1 AND id = $2`, [
    conversationId,
    id,
    counts.length > 0 ? JSON.stringify(counts) : null,
  ]);
}

/** A reaction outlives the account it came from. */
function presentReactor({ id, username, displayName, avatarUrl, kind }: ReactorRow): Profile {
  if (!id || !username || !displayName || !kind) return DELETED_USER;
  return presentProfile({ id, username, displayName, avatarUrl, kind });
}
