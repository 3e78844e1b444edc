import { Injectable } from '@nestjs/common';
import { StandingChanged } from '../../access/access.events.js';
import { audit } from '../../access/audit/audit.js';
import type { ServerPass } from '../../access/pass.js';
import type { Actor } from '../../auth/actor.js';
import { ConversationCreated } from '../../conversations/conversations.events.js';
import { ConversationsService } from '../../conversations/conversations.service.js';
import { Database } from '../../platform/database/database.js';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work.js';
import { unlessBroken } from '../../platform/http/database-problem.js';
import { type Page, pageOf, type PageQuery, readCursor } from '../../platform/http/paging.js';
import { Problem } from '../../platform/http/problem.js';
import { Roster } from '../../users/presence/roster.js';
import {
  type ListedMemberView,
  MEMBER_ROWS,
  type MemberRow,
  type MemberView,
  presentMember,
} from './member.presenter.js';
import type { Role } from './membership.entity.js';
import { MemberAdded, MemberRemoved, MemberUpdated } from './memberships.events.js';
import { judgeInside } from './server-rights.js';

@Injectable()
export class MembershipsService {
  constructor(
    private readonly database: Database,
    private readonly work: UnitOfWork,
    private readonly conversations: ConversationsService,
    private readonly roster: Roster,
  ) {}

  /** Members by id, so that a page costs the same wherever it lies. */
  async list({ serverId }: ServerPass, { limit, cursor }: PageQuery): Promise<Page<ListedMemberView>> {
    const [after] = readCursor(cursor, ['id']) ?? [];
    const rows = await this.database.query<MemberRow>(
      `${MEMBER_ROWS} WHERE m.server_id = $1 AND m.user_id IN (
         SELECT user_id FROM memberships WHERE server_id = $1 AND ($2::uuid IS NULL OR user_id > $2)
         ORDER BY user_id LIMIT $3
       ) ORDER BY m.user_id`,
      [serverId, after ?? null, limit + 1],
    );
    return pageOf(
      rows,
      limit,
      ({ id }) => [id],
      (row) => ({
        ...presentMember(row),
        presence: this.roster.statusOf(row.id),
      }),
    );
  }

  /** Throws 404 for an unknown person, 403 for a role the caller may not give or `banned`, 409 `already_member`. */
  async add(actor: Actor, serverId: string, userId: string, role: Role): Promise<MemberView> {
    return this.work.run(async (tx) => {
      await judgeInside(tx, serverId, actor.userId, 'add-member', { role });
      const member = await this.join(tx, serverId, userId, role);
      await audit(tx, { serverId, actorId: actor.userId, action: 'member.added', targetId: userId, details: { role } });
      return member;
    });
  }

  /** Makes somebody a member inside a transaction that has judged that they may be. */
  async join(tx: Tx, serverId: string, userId: string, role: Role): Promise<MemberView> {
    const joined = await insertMembership(tx, serverId, userId, role);
    if (!joined) throw Problem.conflict('already_member', 'This person is a member already.');
    // What was said before somebody came is not unread to them.
    await tx.query(
      `INSERT INTO read_markers (conversation_id, user_id, seq)
       SELECT c.id, $2, c.last_seq FROM (
         SELECT id FROM channels WHERE server_id = $1
         UNION ALL
         SELECT t.id FROM thread_participants p JOIN threads t ON t.id = p.thread_id
         JOIN channels ch ON ch.id = t.parent_id WHERE p.user_id = $2 AND ch.server_id = $1
       ) theirs JOIN conversations c ON c.id = theirs.id
       WHERE c.last_seq > 0
       ON CONFLICT (conversation_id, user_id) DO UPDATE SET seq = greatest(read_markers.seq, excluded.seq)`,
      [serverId, userId],
    );
    const member = await loadMember(tx, serverId, userId);
    tx.announce(StandingChanged([], { scope: `server:${serverId}` }));
    tx.announce(MemberAdded([`server:${serverId}`, `user:${userId}`], { serverId, member }));
    for (const conversation of await this.conversations.statesIn(tx, serverId, userId)) {
      tx.announce(ConversationCreated([`user:${userId}`], { conversation }));
    }
    return member;
  }

  /** Throws 409 `last_admin` where nobody would be left to run the server. */
  async changeRole(actor: Actor, serverId: string, userId: string, role: Role): Promise<MemberView> {
    return this.keepingAnAdmin(async (tx) => {
      const before = await judgeInside(tx, serverId, actor.userId, 'change-role', { userId });
      await tx.query(`UPDATE memberships SET role = $3 WHERE server_id = $1 AND user_id = $2`, [
        serverId,
        userId,
        role,
      ]);
      const member = await loadMember(tx, serverId, userId);
      tx.announce(StandingChanged([], { scope: `server:${serverId}` }));
      tx.announce(MemberUpdated([`server:${serverId}`], { serverId, member }));
      const details = { before, role };
      await audit(tx, { serverId, actorId: actor.userId, action: 'member.role_changed', targetId: userId, details });
      return member;
    });
  }

  /** Removes somebody, or lets the caller leave. Open sockets hear nothing of the server from then on. */
  async remove(actor: Actor, serverId: string, userId: string): Promise<void> {
    const leaving = actor.userId === userId;
    await this.keepingAnAdmin(async (tx) => {
      await judgeInside(
        tx,
        serverId,
        actor.userId,
        leaving ? 'leave' : 'remove-member',
        leaving ? undefined : { userId },
      );
      await this.takeOut(tx, serverId, userId);
      const action = leaving ? 'member.left' : 'member.removed';
      await audit(tx, { serverId, actorId: actor.userId, action, targetId: userId });
    });
  }

  /** Ends a membership inside a transaction that has judged that it may be ended. */
  async takeOut(tx: Tx, serverId: string, userId: string): Promise<void> {
    await tx.query(`DELETE FROM memberships WHERE server_id = $1 AND user_id = $2`, [serverId, userId]);
    tx.announce(StandingChanged([], { scope: `server:${serverId}` }));
    tx.announce(MemberRemoved([`server:${serverId}`, `user:${userId}`], { serverId, userId }));
  }

  private keepingAnAdmin<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return unlessBroken(this.work.run(work), {
      memberships_last_admin: () =>
        Problem.conflict('last_admin', 'The last ADMIN can neither leave nor be demoted nor removed.'),
    });
  }
}

async function insertMembership(tx: Tx, serverId: string, userId: string, role: Role): Promise<boolean> {
  const rows = await unlessBroken(
    tx.query(
      `INSERT INTO memberships (server_id, user_id, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1`,
      [serverId, userId, role],
    ),
    {
      memberships_user_fk: () => Problem.notFound('This person'),
      memberships_not_banned: () => new Problem(403, 'banned', 'This person is banned here.'),
    },
  );
  return rows.length > 0;
}

async function loadMember(tx: Tx, serverId: string, userId: string): Promise<MemberView> {
  const row = await tx.one<MemberRow>(`${MEMBER_ROWS} WHERE m.server_id = $1 AND m.user_id = $2`, [serverId, userId]);
  if (!row) throw Problem.notFound('This member');
  return presentMember(row);
}
