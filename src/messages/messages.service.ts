import { Injectable } from '@nestjs/common';
import { StandingChanged } from '../access/access.events.js';
import { auditInRoom } from '../access/audit/audit.js';
import { eventIn, peopleOf, type Room, rulingKind } from '../access/facts.js';
import { Moderator, Scribe, Writer } from '../access/pass.js';
import {
  ConversationCleared,
  ConversationDeleted,
  ConversationUpdated,
} from '../conversations/conversations.events.js';
import { EventBus } from '../platform/events/event-bus.js';
import { unlessBroken } from '../platform/http/database-problem.js';
import { Problem } from '../platform/http/problem.js';
import type { DraftRow, Judged, Outcome } from './append-store.js';
import { AttachingStore } from './attachments/attaching-store.js';
import { Doubts } from './doubts.js';
import { type Draft, draftRow, type Speaker, storedRow } from './draft.js';
import { HistoryService } from './history.service.js';
import { MessageChanges } from './message-changes.js';
import { mentioning, storeMentions } from './mentions/mentioning.js';
import { WhoIsHere } from './mentions/who-is-here.js';
import type { AttachmentData } from './message.entity.js';
import { type MessageRow, messageView, type MessageView } from './message.presenter.js';
import { MessageCreated, MessageDeleted, MessageStored, MessageUpdated } from './messages.events.js';
import { removeContents, untitle } from './remove-contents.js';
import { roomNow } from './room-now.js';
import { WriteQueue } from './write-queue.js';

/** What became of a send; with the message where it was stored. */
interface Settled {
  judged: Judged;
  message?: MessageView;
}

export interface Appended {
  message: MessageView;
  /** False where this nonce had been sent before: then it is the message of that time. */
  created: boolean;
  /** The agent's reply that it asks for, if it does. */
  replyId: string | null;
}

const REFUSALS: Record<Exclude<Outcome, 'stored' | 'repeated'>, () => Problem> = {
  nonce_reused: () => Problem.conflict('nonce_reused', 'This nonce was used for another content.'),
  not_found: () => Problem.notFound('This conversation'),
  reply_over: () => Problem.conflict('reply_over', 'This reply has ended, or is given by somebody else.'),
  closed: () => Problem.conflict('conversation_closed', 'This conversation takes no messages.'),
  reply_not_found: () => Problem.invalid('replyToId', 'names no message of this conversation'),
};

const CLOSED: Partial<Record<string, () => Problem>> = {
  session: () => Problem.conflict('session_closed', 'This session is closed.'),
  channel: () => Problem.conflict('voice_channel', 'A VOICE channel takes no text messages.'),
};

/** Everything that is written into a room. Each call takes the pass that says it may be. */
@Injectable()
export class MessagesService {
  constructor(
    private readonly queue: WriteQueue,
    private readonly attaching: AttachingStore,
    private readonly bus: EventBus,
    private readonly history: HistoryService,
    private readonly changes: MessageChanges,
    private readonly doubts: Doubts,
    private readonly whoIsHere: WhoIsHere,
  ) {}

  /**
   * Stores a message and announces it; it is on disk when this returns. Throws 409 `nonce_reused`, `session_closed`,
   * `voice_channel` or `reply_over`, 404 where the pass has lost its standing meanwhile, 401 where its account is gone,
   * 400 for a reply to nothing, 503 `overloaded`.
   */
  async append(pass: Speaker, draft: Draft): Promise<Appended> {
    const named = mentioning(pass, draft.content);
    // What names nobody who must be looked for first keeps its place in the order.
    const row = draftRow(pass, draft, named.here ? await this.whoIsHere.named(pass, named) : named);
    const { attachmentIds = [] } = draft;
    const { judged, message } =
      attachmentIds.length === 0 ? await this.store(pass, row) : await this.storeWithFiles(pass, row, attachmentIds);
    if (message) return { message, created: true, replyId: judged.replyId };
    if (judged.outcome === 'repeated') {
      const actor = pass instanceof Writer ? { actor: pass.actor } : {};
      const message = await this.history.one({ room: roomOf(pass.room, judged), ...actor }, judged.id);
      return { message, created: false, replyId: null };
    }
    throw refusal(judged.outcome, rulingKind(pass.room));
  }

  /** Throws 404, 403 for somebody else's message, 409 `message_deleted`. The same content changes nothing. */
  async edit(writer: Writer, messageId: string, content: string): Promise<MessageView> {
    const named = await this.whoIsHere.named(writer, mentioning(writer, content));
    return this.changes.one(writer, messageId, MessageUpdated, async (tx, message, _rev, room) => {
      if (!mayEdit(writer, message)) throw Problem.forbidden('Only its author may edit a message.');
      if (message.content === null) throw Problem.conflict('message_deleted', 'This message is deleted.');
      if (message.content === content) return false;
      const key = [message.conversationId, message.id];
      await untitle(tx, room, [message.id], content);
      await tx.prepared(
        `INSERT INTO message_revisions (conversation_id, message_id, rev, content, created_at)
         SELECT conversation_id, id, rev, content, coalesce(edited_at, created_at)
         FROM messages WHERE conversation_id = $1 AND id = $2`,
        key,
      );
      await tx.prepared(`UPDATE messages SET content = $3, edited_at = now() WHERE conversation_id = $1 AND id = $2`, [
        ...key,
        content,
      ]);
      if (named.names || named.everyone || message.mentions || message.mentionsEveryone) {
        await storeMentions(tx, message, { ...named, userIds: peopleOf(room) });
      }
      return true;
    });
  }

  /** By its author, or with a moderator's pass. The text and its revisions go; the place stays. Twice is once. */
  async delete(pass: Writer | Moderator, messageId: string): Promise<MessageView> {
    return this.changes.one(pass, messageId, MessageDeleted, async (tx, message, _rev, room) => {
      const own = message.authorId === pass.actor.userId;
      if (!own && !(pass instanceof Moderator))
        throw Problem.forbidden('Only its author or a moderator may delete a message.');
      if (message.content === null) return false;
      await untitle(tx, room, [message.id]);
      await removeContents(tx, message.conversationId, [message.id]);
      if (!own) await auditInRoom(tx, pass, 'message.deleted', [message.id]);
      return true;
    });
  }

  /** Up to a hundred at once, in one commit. Skips what is deleted already or not of this room; gives how many went. */
  async deleteMany(moderator: Moderator, messageIds: string[]): Promise<number> {
    const deleted = await this.changes.many(moderator, messageIds, MessageDeleted, async (tx, messages, room) => {
      const present = messages.filter(({ content }) => content !== null).map(({ id }) => id);
      await untitle(tx, room, present);
      await removeContents(tx, moderator.room.id, present);
      await auditInRoom(tx, moderator, 'message.deleted', present);
      return present;
    });
    return deleted.length;
  }

  /** Takes everything out of a session, the threads on it too. Its counters go on, so that a client that was away learns of it. */
  async clear(pass: Moderator): Promise<void> {
    await this.changes.underLock(pass.room, async (tx) => {
      const room = await roomNow(tx, pass);
      const cleared = await tx.one<{ rev: number; clearedSeq: number }>(
        `UPDATE conversations SET last_rev = last_rev + 1, cleared_seq = last_seq WHERE id = $1
         RETURNING last_rev AS rev, cleared_seq AS "clearedSeq"`,
        [room.id],
      );
      if (!cleared) throw Problem.notFound('This conversation');
      // Before their messages go, as a send into one of them does.
      const threads = await tx.query<{ id: string }>(
        `SELECT id FROM conversations WHERE id = ANY(ARRAY(SELECT id FROM threads WHERE parent_id = $1))
         ORDER BY id FOR UPDATE`,
        [room.id],
      );
      await untitle(tx, room);
      await tx.delete(`DELETE FROM messages WHERE conversation_id = $1`, [room.id]);
      for (const { id } of threads) tx.announce(StandingChanged([], { scope: `conversation:${id}` }));
      tx.announce(eventIn(room, ConversationCleared, { conversationId: room.id, ...cleared }));
      for (const { id } of threads) tx.announce(eventIn(room, ConversationDeleted, { conversationId: id }));
    });
  }

  private store(pass: Speaker, row: DraftRow): Promise<Settled> {
    const storing = new Promise<Settled>((resolve, reject) => {
      this.queue.send(row, (judged) => resolve(this.settled(pass, row, judged)), reject);
    });
    return this.doubting(pass, row, storing);
  }

  private storeWithFiles(pass: Speaker, row: DraftRow, attachmentIds: string[]): Promise<Settled> {
    const storing = this.queue.exclusive(row.conversationId, async () => {
      const { judged, attachments } = await this.attaching.append(row, attachmentIds);
      return this.settled(pass, row, judged, attachments);
    });
    return this.doubting(pass, row, storing);
  }

  private doubting({ room }: Speaker, { authorId }: DraftRow, storing: Promise<Settled>): Promise<Settled> {
    storing.catch((error: unknown) => this.doubts.about(room, authorId, error));
    return unlessBroken(storing, { messages_author_fk: () => Problem.unauthorized('This account is gone.') });
  }

  private settled(pass: Speaker, row: DraftRow, judged: Judged, attachments: AttachmentData[] | null = null): Settled {
    if (judged.outcome !== 'stored') return { judged };
    return { judged, message: this.announceNew(pass, row, judged, attachments) };
  }

  private announceNew(pass: Speaker, row: DraftRow, judged: Judged, attachments: AttachmentData[] | null): MessageView {
    const { rev, title, replyId, joined } = judged;
    const room = roomOf(pass.room, judged);
    const message = messageView(storedRow(row, judged, attachments), pass.author);
    this.bus.publish(eventIn(room, MessageCreated, { conversationId: room.id, rev, message }));
    if (title !== null) this.bus.publish(eventIn(room, ConversationUpdated, { conversation: { id: room.id, title } }));
    this.bus.publish(MessageStored([], { room, message, replyId, joined }));
    return message;
  }
}

/** As append_messages found it under the room's lock: the pass may have been made before somebody left. */
function roomOf(room: Room, { ownerId, advocateId, agentId }: Judged): Room {
  return rulingKind(room) === 'session' ? { ...room, ownerId, advocateId, agentId } : room;
}

/** What nobody said, the other side of a session without an agent, may be edited by who writes it down. */
function mayEdit(pass: Writer, { authorId, agentId, role }: MessageRow): boolean {
  if (authorId !== null) return authorId === pass.actor.userId;
  return pass instanceof Scribe && role === 'agent' && agentId === null;
}

function refusal(outcome: Outcome, kind: string): Problem {
  if (outcome === 'stored' || outcome === 'repeated') throw new Error(`${outcome} is no refusal`);
  return ((outcome === 'closed' && CLOSED[kind]) || REFUSALS[outcome])();
}
