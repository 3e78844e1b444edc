import { type Room, standingOf } from '../access/facts.js';
import type { Reader } from '../access/pass.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { Problem } from '../platform/http/problem.js';

/**
 * Gives the room of a pass as it is under its lock: somebody may have been let in or out of a session since the pass
 * was made. A statement of its own, since the one that waits for the lock still sees what was true before. Throws 404
 * where the caller no longer has a standing in it.
 */
export async function roomNow(tx: Tx, { room, actor }: Pick<Reader, 'room' | 'actor'>): Promise<Room> {
  if (room.kind !== 'session') return room;
  const now = await tx.one<Pick<Room, 'ownerId' | 'advocateId' | 'agentId'>>(
    `SELECT owner_id AS "ownerId", advocate_id AS "advocateId", agent_id AS "agentId" FROM sessions WHERE id = $1`,
    [room.id],
  );
  const present = { ...room, ...now };
  if (standingOf({ room: present, role: null }, actor.userId) !== 'stranger') return present;
  throw Problem.notFound('This conversation');
}
