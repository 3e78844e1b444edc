import { Injectable } from '@nestjs/common';
import { audienceOf, type Room } from '../access/facts.js';
import type { Writer } from '../access/pass.js';
import { type Tx, UnitOfWork } from '../platform/database/unit-of-work.js';
import type { EventKind } from '../platform/events/event.js';
import { Problem } from '../platform/http/problem.js';
import {
  MESSAGE_JOINS,
  messageColumns,
  type MessageRow,
  type MessageView,
  presentMessage,
} from './message.presenter.js';
import type { MessageChange } from './messages.events.js';
import { roomNow } from './room-now.js';
import { WriteQueue } from './write-queue.js';

/** Judges a message and changes it. `rev` is what the change will have. Gives false where there was nothing to change. */
type Act = (tx: Tx, message: MessageRow, rev: number) => Promise<boolean>;

/** The one way in which a stored message is changed, whatever is changed about it. */
@Injectable()
export class MessageChanges {
  constructor(
    private readonly queue: WriteQueue,
    private readonly work: UnitOfWork,
  ) {}

  /**
   * Changes one message under the lock of its room: loads it, lets `act` judge and change it, stamps the next rev
   * and announces what is then stored. Gives it as the caller sees it. Throws 404 and what `act` throws.
   */
  one(pass: Writer, messageId: string, kind: EventKind<MessageChange>, act: Act): Promise<MessageView> {
    const { actor } = pass;
    return this.underLock(pass.room, async (tx, last) => {
      const room = await roomNow(tx, pass);
      const before = await loadMessage(tx, room.id, messageId, actor.userId);
      if (!(await act(tx, before, last + 1))) return presentMessage(before);
      await tx.query(`UPDATE conversations SET last_rev = $2 WHERE id = $1`, [room.id, last + 1]);
      await tx.query(`UPDATE messages SET rev = $3 WHERE conversation_id = $1 AND id = $2`, [
        room.id,
        messageId,
        last + 1,
      ]);
      const after = await loadMessage(tx, room.id, messageId, actor.userId);
      await announceChange(tx, kind, room, after);
      return presentMessage(after);
    });
  }

  /** Runs `change` while nothing else is written into the room, on any node. It is given the room's present rev. */
  underLock<T>(room: Room, change: (tx: Tx, lastRev: number) => Promise<T>): Promise<T> {
    const inOneTransaction = () =>
      this.work.run(async (tx) => {
        const head = await tx.one<{ rev: number }>(
          `SELECT last_rev AS rev FROM conversations WHERE id = $1 FOR NO KEY UPDATE`,
          [room.id],
        );
        if (!head) throw Problem.notFound('This conversation');
        return change(tx, head.rev);
      });
    return this.queue.exclusive(room.id, inOneTransaction);
  }
}

async function loadMessage(tx: Tx, conversationId: string, messageId: string, viewerId: string): Promise<MessageRow> {
  const row = await tx.one<MessageRow>(
    `SELECT ${messageColumns('$3')} FROM messages m ${MESSAGE_JOINS} WHERE m.conversation_id = $1 AND m.id = $2`,
    [conversationId, messageId, viewerId],
  );
  if (!row) throw Problem.notFound('This message');
  return row;
}

/** Everybody is shown the message as a stranger to its reactions sees it, save those who reacted. */
async function announceChange(tx: Tx, kind: EventKind<MessageChange>, room: Room, row: MessageRow): Promise<void> {
  const seenWith = (reacted: string[] | null): MessageChange => ({
    conversationId: room.id,
    rev: row.rev,
    message: presentMessage({ ...row, reacted }),
  });
  const reactors = row.reactions ? await reactorsOf(tx, row) : [];
  const personal = reactors.map(({ userIds, emojis }) => ({ userIds, data: seenWith(emojis) }));
  tx.announce(kind(audienceOf(room), seenWith(null), personal));
}

/** Those who chose the same emojis together, since they see the same. */
function reactorsOf(tx: Tx, { conversationId, id }: MessageRow): Promise<{ userIds: string[]; emojis: string[] }[]> {
  return tx.query(
    `SELECT array_agg(user_id) AS "userIds", emojis FROM (
       SELECT user_id, array_agg(emoji ORDER BY emoji) AS emojis FROM reactions
       WHERE conversation_id = $1 AND message_id = $2 AND user_id IS NOT NULL GROUP BY user_id
     ) AS chosen GROUP BY emojis`,
    [conversationId, id],
  );
}
