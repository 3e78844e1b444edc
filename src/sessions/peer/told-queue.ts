import { Injectable } from '@nestjs/common';
import { ConversationUpdated } from '../../conversations/conversations.events.js';
import { Database } from '../../platform/database/database.js';
import { EventBus } from '../../platform/events/event-bus.js';
import { type Profile, profileJson } from '../../users/profile.presenter.js';
import { ADVOCATES, SessionClaimed, SessionDequeued, SessionQueued } from './queue.events.js';
import { presentQueued, QUEUED_ROWS, type QueuedRow, WAITS } from './queue.presenter.js';

interface Gone {
  id: string;
  ownerId: string | null;
  advocate: Profile | null;
}

/** Who waits as far as this node was told, and what the queue says beyond that. */
@Injectable()
export class ToldQueue {
  /** By session, since when it waits. */
  private readonly told = new Map<string, string>();
  /** Of these more was heard while the queue was read: what was read of them is old. */
  private newer = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly bus: EventBus,
  ) {}

  listen(): void {
    this.bus.on(SessionQueued, ({ session }) => this.note(session.id, session.waitingSince));
    this.bus.on(SessionClaimed, ({ sessionId }) => this.note(sessionId));
    this.bus.on(SessionDequeued, ({ sessionId }) => this.note(sessionId));
  }

  /** Tells the advocates here, and those who waited, what has come into the queue and left it. */
  async catchUp(): Promise<void> {
    this.newer = new Set();
    const waiting = await this.database.query<{ id: string; queuedAt: Date }>(
      `SELECT s.id, s.queued_at AS "queuedAt" FROM sessions s WHERE ${WAITS}`,
    );
    const now = new Set(waiting.map(({ id }) => id));
    const come = waiting.filter(({ id, queuedAt }) => this.told.get(id) !== queuedAt.toISOString()).map(({ id }) => id);
    const left = [...this.told.keys()].filter((id) => !now.has(id));
    if (come.length > 0) await this.tellCome(come);
    if (left.length > 0) await this.tellLeft(left);
  }

  private async tellCome(ids: string[]): Promise<void> {
    const rows = await this.database.query<QueuedRow>(
      `${QUEUED_ROWS} AND s.id = ANY($1::uuid[]) ORDER BY s.queued_at, s.id`,
      [ids],
    );
    for (const row of rows) {
      if (!this.newer.has(row.id)) this.bus.hear(SessionQueued(ADVOCATES, { session: presentQueued(row) }));
    }
  }

  private async tellLeft(ids: string[]): Promise<void> {
    const gone = await this.database.query<Gone>(
      `SELECT left_it.id, s.owner_id AS "ownerId", ${profileJson('advocate')} AS advocate
       FROM unnest($1::uuid[]) AS left_it (id) LEFT JOIN sessions s ON s.id = left_it.id
         LEFT JOIN users advocate ON advocate.id = s.advocate_id`,
      [ids],
    );
    for (const { id, ownerId, advocate } of gone) {
      if (this.newer.has(id)) continue;
      if (!ownerId || !advocate) this.bus.hear(SessionDequeued(ADVOCATES, { sessionId: id }));
      else {
        this.bus.hear(SessionClaimed([...ADVOCATES, `user:${ownerId}`], { sessionId: id, advocate }));
        this.bus.hear(ConversationUpdated([`user:${ownerId}`], { conversation: { id, type: 'peer', advocate } }));
      }
    }
  }

  private note(sessionId: string, waitingSince?: string): void {
    this.newer.add(sessionId);
    if (waitingSince === undefined) this.told.delete(sessionId);
    else this.told.set(sessionId, waitingSince);
  }
}
