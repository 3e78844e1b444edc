import { Injectable } from '@nestjs/common';
import pLimit, { type LimitFunction } from 'p-limit';
import { AccessService } from '../access/access.service.js';
import { audienceOf, type Room } from '../access/facts.js';
import { type Changes, LAST_SEQ } from '../messages/history.service.js';
import { Problem } from '../platform/http/problem.js';
import { Attendance } from './attendance.js';
import { CatchingUp } from './catching-up.js';
import type { Connection } from './connection.js';
import { RoomOrder } from './room-order.js';

/** Conversations that one socket is brought at a time; others that it asked for wait for them. */
const AT_ONCE = 2;
/** Of one page. As much before it, a page for each of these and what else is said must stay below what a reader may leave unread. */
const MOST_BYTES = 256 * 1024;

/** Brings a client from the rev it has to the present, page by page, as fast as it reads. */
@Injectable()
export class SyncService {
  private readonly written = new WeakMap<Changes, { part: Changes; text: string }>();
  private readonly turns = new WeakMap<Connection, LimitFunction>();

  constructor(
    private readonly access: AccessService,
    private readonly attendance: Attendance,
    private readonly order: RoomOrder,
    private readonly catchingUp: CatchingUp,
  ) {}

  /**
   * Live events of the room wait from before the first page is read until after the last one is sent, so that they
   * never come before what is older. Each page goes through the door again: a sync may be long.
   */
  async run(connection: Connection, room: Room, afterRev: number, ref?: string): Promise<undefined> {
    if (!connection.beginSync(room.id, room.parentId, room.serverId)) {
      throw Problem.conflict('sync_running', 'A sync of this conversation runs already.');
    }
    const turn = this.turns.get(connection) ?? pLimit(AT_ONCE);
    this.turns.set(connection, turn);
    return turn(() => this.bring(connection, room, afterRev, ref));
  }

  private async bring(connection: Connection, room: Room, afterRev: number, ref?: string): Promise<undefined> {
    const conversationId = room.id;
    let rev = afterRev;
    let seq = 0;
    let isTold = false;
    try {
      for (let more = true; more && !connection.isClosed;) {
        if (connection.unreadBytes > MOST_BYTES) await connection.drained();
        const { part: changes, text } = this.write(await this.page(connection, conversationId, rev));
        connection.sendText(
          `${JSON.stringify({ type: 'changes', ref, conversationId }).slice(0, -1)},${text.slice(1)}`,
        );
        ({ rev, more } = changes);
        for (const message of changes.items) seq = Math.max(seq, message.seq);
        // Who was given all, or is told to load it anew, has every message that there is.
        if (!more) seq = Math.max(seq, changes[LAST_SEQ]);
        isTold = true;
      }
    } finally {
      if (isTold) {
        // Also a thread that is listed to nobody here: what happens in it is missed from now on.
        this.order.learn(conversationId, rev, seq, audienceOf(room));
        this.order.told(connection, conversationId, rev, seq);
      }
      connection.endSync(conversationId, rev, seq);
    }
    return undefined;
  }

  /** Read by who may, and given to who still may: what was read for somebody who had lost the room meanwhile is not theirs. */
  private async page(connection: Connection, conversationId: string, after: number): Promise<Changes> {
    const reader = await this.access.enter(connection.actor, conversationId, 'read');
    const changes = await this.catchingUp.changes(reader, after);
    const { room } = await this.access.enter(connection.actor, conversationId, 'read');
    // They have it again, and have forgotten what they knew of it: these changes are no continuation of that.
    if (connection.isInterrupted(conversationId) || this.hasYetToTell(connection, room)) {
      throw Problem.conflict('sync_interrupted', 'This conversation was lost during the sync: ask again.');
    }
    return changes;
  }

  /** They belong to the server, and this node has not told them so: then it does. */
  private hasYetToTell({ actor, topics }: Connection, { serverId }: Room): boolean {
    if (serverId === null || topics.has(`server:${serverId}`)) return false;
    this.attendance.confirm(actor.userId);
    return true;
  }

  /** Those who come back together get the very same changes: written out once for all of them, as many as are sent in one go. */
  private write(changes: Changes): { part: Changes; text: string } {
    const known = this.written.get(changes);
    if (known) return known;
    let part = changes;
    let text = JSON.stringify(changes);
    if (Buffer.byteLength(text) > MOST_BYTES) {
      part = beginningOf(changes);
      text = JSON.stringify(part);
    }
    const written = { part, text };
    this.written.set(changes, written);
    return written;
  }
}

function beginningOf(changes: Changes): Changes {
  let bytes = 0;
  const sizes = changes.items.map((item) => (bytes += Buffer.byteLength(JSON.stringify(item))));
  const items = changes.items.slice(0, Math.max(1, sizes.filter((size) => size <= MOST_BYTES).length));
  const isAll = items.length === changes.items.length;
  return isAll ? changes : { ...changes, items, rev: items.at(-1)?.rev ?? changes.rev, more: true };
}
