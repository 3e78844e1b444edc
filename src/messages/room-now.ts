import { refuse } from '../access/access.service.js';
import { type Room, rulingKind, standingOf } from '../access/facts.js';
import { AnsweringAgent, Moderator, Pinner, type Reader } from '../access/pass.js';
import { type Action, verdict } from '../access/verdict.js';
import type { Role } from '../servers/memberships/membership.entity.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { Problem } from '../platform/http/problem.js';

type Facts = Pick<Room, 'ownerId' | 'advocateId' | 'agentId'> & { type: string };

/**
 * Gives the room of a pass as it is under its lock: somebody may have been let in or out of it since the pass was made.
 * A statement of its own, since the one that waits for the lock still sees what was true before. Throws 404 where the
 * caller no longer has a standing in it, 403 where they may not do any more what the pass is for.
 */
export async function roomNow(tx: Tx, pass: Pick<Reader, 'room' | 'actor'> | AnsweringAgent): Promise<Room> {
  if (rulingKind(pass.room) === 'channel') await mustStillBeMember(tx, pass);
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

/** What ends a membership or lowers a role waits for no room: so it is asked for once more. */
async function mustStillBeMember(tx: Tx, pass: Pick<Reader, 'room' | 'actor'> | AnsweringAgent): Promise<void> {
  if (pass instanceof AnsweringAgent) return;
  const [member] = await tx.prepared<{ role: Role }>(
    `SELECT m.role FROM channels ch JOIN memberships m ON m.server_id = ch.server_id
     WHERE ch.id = $1 AND m.user_id = $2`,
    [pass.room.parentId ?? pass.room.id, pass.actor.userId],
  );
  const standing = standingOf({ room: pass.room, role: member?.role ?? null }, pass.actor.userId);
  refuse(verdict(standing, actionOf(pass)), 'This conversation');
}

function actionOf(pass: object): Action {
  if (pass instanceof Moderator) return 'moderate';
  return pass instanceof Pinner ? 'pin' : 'write';
}

function holds(pass: Pick<Reader, 'room' | 'actor'> | AnsweringAgent, now: Facts): boolean {
  if (pass instanceof AnsweringAgent) return now.type === 'agent' && now.agentId === pass.agentId;
  return standingOf({ room: { ...pass.room, ...now }, role: null }, pass.actor.userId) !== 'stranger';
}
