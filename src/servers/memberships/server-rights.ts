import { refuse } from '../../access/access.service.js';
import { type ServerAction, serverVerdict } from '../../access/verdict.js';
import type { Tx } from '../../platform/database/unit-of-work.js';
import { Problem } from '../../platform/http/problem.js';
import type { Role } from './membership.entity.js';

/**
 * Judges a change to a server inside the transaction that makes it: locks the server's row, so that of two changes
 * at once the second is judged by what the first has left. `target` is the person acted on, who must be a member
 * unless a stranger will do, or the role to be given. Throws 404 and 403 as the door does; gives the target's present
 * role where a person is acted on.
 */
export async function judgeInside(
  tx: Tx,
  serverId: string,
  actorId: string,
  action: ServerAction,
  target?: { userId: string; orStranger?: true } | { role: Role },
): Promise<Role | null> {
  await tx.query(`SELECT 1 FROM servers WHERE id = $1 FOR NO KEY UPDATE`, [serverId]);
  const role = await roleOf(tx, serverId, actorId);
  const acted = target && 'userId' in target ? await roleOf(tx, serverId, target.userId) : null;
  refuse(serverVerdict(role, action), 'This server');
  if (target && 'userId' in target && !acted && !target.orStranger) throw Problem.notFound('This member');
  const targetRole = target && 'role' in target ? target.role : acted;
  if (targetRole) refuse(serverVerdict(role, action, targetRole), 'This server');
  return acted;
}

async function roleOf(tx: Tx, serverId: string, userId: string): Promise<Role | null> {
  const row = await tx.one<{ role: Role }>(`SELECT role FROM memberships WHERE server_id = $1 AND user_id = $2`, [
    serverId,
    userId,
  ]);
  return row?.role ?? null;
}
