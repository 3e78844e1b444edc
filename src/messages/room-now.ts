import { type Room, rulingKind, standingOf } from '../access/facts.js';
import { AnsweringAgent, type Reader } from '../access/pass.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { Problem } from '../platform/http/problem.js';

type Facts = Pick<Room, 'ownerId' | 'advocateId' | 'agentId'> & { type: string };

/**
 * Gives the room of a pass as it is under its lock: somebody may have been let in or out of a session since the pass
 * was made. A statement of its own, since the one that waits for the lock still sees what was true before. Throws 404
 * where the caller no longer has a standing in it.
 */
export async function roomNow(tx: Tx, pass: Pick<Reader, 'room' | 'actor'> | AnsweringAgent): Promise<Room> {
  if (rulingKind(pass.room) !== 'session') return pass.room;
  const now = await tx.one<Facts>(
    `SELECT owner_id AS "ownerId", advocate_id AS "advocateId", agent_id AS "agentId", type
     FROM sessions WHERE id = $1`,
    [pass.room.parentId ?? pass.room.id],
  );
  if (!now || !holds(pass, now)) throw Problem.notFound('This conversation');
  const { ownerId, advocateId, agentId } = now;
  return { ...pass.room, ownerId, advocateId, agentId };
}

function holds(pass: Pick<Reader, 'room' | 'actor'> | AnsweringAgent, now: Facts): boolean {
  if (pass instanceof AnsweringAgent) return now.type === 'agent' && now.agentId === pass.agentId;
  return standingOf({ room: { ...pass.room, ...now }, role: null }, pass.actor.userId) !== 'stranger';
}
