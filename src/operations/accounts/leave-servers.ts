import { audit } from '../../access/audit/audit.js';
import { StandingChanged } from '../../access/access.events.js';
import type { Tx } from '../../platform/database/unit-of-work.js';
import { MEMBER_ROWS, type MemberRow, presentMember } from '../../servers/memberships/member.presenter.js';
import type { Role } from '../../servers/memberships/membership.entity.js';
import { MemberRemoved, MemberUpdated } from '../../servers/memberships/memberships.events.js';
import { deleteServer } from '../../servers/servers/delete-server.js';

/**
 * Takes somebody out of every server. Where they are the last ADMIN who can sign in, whoever has the highest role and has
 * been there longest becomes one; where nobody else is there, the server goes.
 */
export async function leaveServers(tx: Tx, userId: string): Promise<void> {
  const servers = await tx.query<{ id: string; role: Role }>(
    `SELECT s.id, m.role FROM memberships m JOIN servers s ON s.id = m.server_id
     WHERE m.user_id = $1 ORDER BY s.id FOR NO KEY UPDATE OF s`,
    [userId],
  );
  for (const { id } of servers) {
    const heir = await heirOf(tx, id, userId);
    if (heir) await leave(tx, id, userId, heir);
    else await deleteServer(tx, id);
  }
}

/**
 * Who would run the server without this person, somebody who can sign in before all others; nothing where they are alone
 * in it.
 */
function heirOf(tx: Tx, serverId: string, userId: string): Promise<{ id: string; role: Role } | undefined> {
  return tx.one<{ id: string; role: Role }>(
    `SELECT m.user_id AS id, m.role FROM memberships m JOIN users u ON u.id = m.user_id
     WHERE m.server_id = $1 AND m.user_id <> $2
     ORDER BY u.disabled_at IS NOT NULL, array_position(ARRAY['ADMIN', 'MODERATOR', 'MEMBER'], m.role), m.joined_at,
       m.user_id LIMIT 1`,
    [serverId, userId],
  );
}

async function leave(tx: Tx, serverId: string, userId: string, heir: { id: string; role: Role }): Promise<void> {
  tx.announce(StandingChanged([], { scope: `server:${serverId}` }));
  if (heir.role !== 'ADMIN') await passOn(tx, serverId, userId, heir);
  await tx.query(`DELETE FROM memberships WHERE server_id = $1 AND user_id = $2`, [serverId, userId]);
  tx.announce(MemberRemoved([`server:${serverId}`, `user:${userId}`], { serverId, userId }));
}

/** Where nobody else who can sign in is ADMIN and the leaver is. */
async function passOn(tx: Tx, serverId: string, userId: string, heir: { id: string; role: Role }): Promise<void> {
  const raised = await tx.one(
    `UPDATE memberships SET role = 'ADMIN' WHERE server_id = $1 AND user_id = $3
       AND EXISTS (SELECT 1 FROM memberships WHERE server_id = $1 AND user_id = $2 AND role = 'ADMIN')
     RETURNING 1 AS raised`,
    [serverId, userId, heir.id],
  );
  if (!raised) return;
  const row = await tx.one<MemberRow>(`${MEMBER_ROWS} WHERE m.server_id = $1 AND m.user_id = $2`, [serverId, heir.id]);
  if (row) tx.announce(MemberUpdated([`server:${serverId}`], { serverId, member: presentMember(row) }));
  const details = { before: heir.role, role: 'ADMIN' };
  await audit(tx, { serverId, actorId: userId, action: 'member.role_changed', targetId: heir.id, details });
}
