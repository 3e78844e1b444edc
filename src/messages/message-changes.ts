import { Injectable } from '@nestjs/common';
import { eventIn, type Room } from '../access/facts.js';
import { AnsweringAgent, type Writer } from '../access/pass.js';
import { arrayAt } from '../platform/database/database.js';
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
import { withReadTimes } from './read-times.js';
import { roomNow } from './room-now.js';
import { WriteQueue } from './write-queue.js';

/**
 * Judges a message and changes it. `rev` is what the change will have, `room` as it is under its lock. Gives false where
 * there was nothing to change.
 */
type Act = (tx: Tx, message: MessageRow, rev: number, room: Room) => Promise<boolean>;
/** The same for those of many that are there, in order of seq. Gives the ids of those that it changed, in that order. */
type ActOnMany = (tx: Tx, messages: MessageRow[], room: Room) => Promise<string[]>;

/** The one way in which stored messages are changed, whatever is changed about them. */
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
  one(pass: Caller, messageId: string, kind: EventKind<MessageChange>, act: Act): Promise<MessageView> {
    return this.underLock(pass.room, async (tx, last) => {
      const room = await roomNow(tx, pass);
      const [before] = await loadMessages(tx, viewerOf(pass), room, [messageId]);
      if (!before) throw Problem.notFound('This message');
      if (!(await act(tx, before, last + 1, room))) return presentMessage(before);
      const [after] = await stamp(tx, viewerOf(pass), room, kind, last, [messageId]);
      return presentMessage(after ?? before);
    });
  }

  /** Changes many messages of one room in one commit, each with a rev of its own. Gives those that were changed. */
  many(pass: Writer, ids: string[], kind: EventKind<MessageChange>, act: ActOnMany): Promise<MessageView[]> {
    return this.underLock(pass.room, async (tx, last) => {
      const room = await roomNow(tx, pass);
      const changed = await act(tx, await loadMessages(tx, viewerOf(pass), room, [...new Set(ids)]), room);
      return (await stamp(tx, viewerOf(pass), room, kind, last, changed)).map(presentMessage);
    });
  }

  /** Runs `change` while nothing else is written into the room, on any node. It is given the room's present rev. */
  underLock<T>(room: Pick<Room, 'id'>, change: (tx: Tx, lastRev: number) => Promise<T>): Promise<T> {
    const inOneTransaction = () =>
      this.work.run(async (tx) => {
        const [head] = await tx.prepared<{ rev: number }>(
          `SELECT last_rev AS rev FROM conversations WHERE id = $1 FOR NO KEY UPDATE`,
          [room.id],
        );
        if (!head) throw Problem.notFound('This conversation');
        return change(tx, head.rev);
      });
    return this.queue.exclusive(room.id, inOneTransaction);
  }
}

/** Who changes something: somebody, or the agent of a session. */
type Caller = Writer | AnsweringAgent;

/** Who is shown the change in their own view. */
function viewerOf(pass: Caller): string | null {
  return pass instanceof AnsweringAgent ? null : pass.actor.userId;
}

/**
 * The messages `$2` of the room `$1`, with their places in that list, to be joined with `messages` by both keys. Walled in,
 * so that each is looked up by its id: PostgreSQL keeps one plan for all rooms, and for a room of the usual size, which
 * has few messages, it would read the whole room. In a big one that is all of its hundreds of thousands, for each reaction.
 */
const WANTED = `(
  SELECT $1::uuid AS room, id, nth FROM unnest(${arrayAt(2)}) WITH ORDINALITY AS given (id, nth) OFFSET 0
) AS wanted`;

/** As the caller sees them, in order of seq. */
async function loadMessages(tx: Tx, viewerId: string | null, room: Room, ids: string[]): Promise<MessageRow[]> {
  const rows = await tx.prepared<MessageRow>(
    `SELECT ${messageColumns('$3::uuid')}
     FROM ${WANTED} JOIN messages m ON m.conversation_id = wanted.room AND m.id = wanted.id ${MESSAGE_JOINS}
     ORDER BY m.seq`,
    [room.id, ids, viewerId],
  );
  return withReadTimes(tx, room, rows);
}

/** Gives each of the changed messages its rev after `last`, and announces it as it is now. */
async function stamp(
  tx: Tx,
  viewerId: string | null,
  room: Room,
  kind: EventKind<MessageChange>,
  last: number,
  changed: string[],
): Promise<MessageRow[]> {
  if (changed.length === 0) return [];
  await tx.prepared(`UPDATE conversations SET last_rev = $2 WHERE id = $1`, [room.id, last + changed.length]);
  await tx.prepared(
    `UPDATE messages m SET rev = $3 + nth FROM ${WANTED} WHERE m.conversation_id = wanted.room AND m.id = wanted.id`,
    [room.id, changed, last],
  );
  const rows = await loadMessages(tx, viewerId, room, changed);
  for (const row of rows) {
    // Everybody is shown it as who did not react to it; who did is found when it is delivered.
    const message = presentMessage({ ...row, reacted: null });
    tx.announce(eventIn(room, kind, { conversationId: room.id, rev: row.rev, message }));
  }
  return rows;
}
