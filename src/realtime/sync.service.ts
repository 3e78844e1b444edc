import { Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.js';
import type { Room } from '../access/facts.js';
import type { Changes } from '../messages/history.service.js';
import { Problem } from '../platform/http/problem.js';
import { Attendance } from './attendance.js';
import { CatchingUp } from './catching-up.js';
import type { Connection } from './connection.js';
import { RoomOrder } from './room-order.js';

/** Brings a client from the rev it has to the present, page by page, as fast as it reads. */
@Injectable()
export class SyncService {
  private readonly texts = new WeakMap<Changes, string>();

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
  async run(connection: Connection, conversationId: string, afterRev: number, ref?: string): Promise<undefined> {
    if (!connection.beginSync(conversationId)) {
      throw Problem.conflict('sync_running', 'A sync of this conversation runs already.');
    }
    let rev = afterRev;
    let seq = 0;
    let isTold = false;
    try {
      for (let more = true; more && !connection.isClosed;) {
        const changes = await this.page(connection, conversationId, rev);
        connection.sendText(this.frame(changes, conversationId, ref));
        ({ rev, more } = changes);
        for (const message of changes.items) seq = Math.max(seq, message.seq);
        isTold = true;
        if (more) await connection.drained();
      }
    } finally {
      if (isTold) this.order.told(connection, conversationId, rev, seq);
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

  /** Those who come back together get the very same changes: written out once for all of them. */
  private frame(changes: Changes, conversationId: string, ref: string | undefined): string {
    const text = this.texts.get(changes) ?? JSON.stringify(changes);
    this.texts.set(changes, text);
    return `${JSON.stringify({ type: 'changes', ref, conversationId }).slice(0, -1)},${text.slice(1)}`;
  }
}
