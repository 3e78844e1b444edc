import type { Tx } from '../../platform/database/unit-of-work.js';
import { ADVOCATES, SessionDequeued, SessionQueued } from './queue.events.js';
import { presentQueued, QUEUED_ROWS, type QueuedRow, WAITS } from './queue.presenter.js';

/** Whether a session waits in the queue. Ask before a change, under the lock of its room. */
export async function waits(tx: Tx, sessionId: string): Promise<boolean> {
  const row = await tx.one(`SELECT 1 FROM sessions s WHERE s.id = $1 AND ${WAITS}`, [sessionId]);
  return row !== undefined;
}

/**
 * After a change: tells the advocates where it has come into the queue or, other than by a claim, left it. `past` is
 * an advocate no more, and may listen for a moment yet.
 */
export async function tellWatchers(tx: Tx, sessionId: string, waitedBefore: boolean, past?: string): Promise<void> {
  const row = await tx.one<QueuedRow>(`${QUEUED_ROWS} AND s.id = $1`, [sessionId]);
  if (row && !waitedBefore) {
    const queued = SessionQueued(ADVOCATES, { session: presentQueued(row) });
    tx.announce(past === undefined ? queued : { ...queued, except: past });
  }
  if (!row && waitedBefore) tx.announce(SessionDequeued(ADVOCATES, { sessionId }));
}
