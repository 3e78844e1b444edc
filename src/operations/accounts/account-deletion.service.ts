import { Injectable } from '@nestjs/common';
import { StandingChanged } from '../../access/access.events.js';
import type { Actor } from '../../auth/actor.js';
import { endLogins } from '../../auth/logins/end-logins.js';
import { ConversationDeleted } from '../../conversations/conversations.events.js';
import { deleteConversations, lockRooms } from '../../conversations/delete-conversations.js';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work.js';
import type { Topic } from '../../platform/events/event.js';
import { Problem } from '../../platform/http/problem.js';
import { leaveAdvocacy } from '../../sessions/peer/leave-advocacy.js';
import { ADVOCATES, SessionDequeued } from '../../sessions/peer/queue.events.js';
import { WAITS } from '../../sessions/peer/queue.presenter.js';
import { leaveServers } from './leave-servers.js';

/** Takes an account and all that is only its own out of the house. */
@Injectable()
export class AccountDeletion {
  constructor(private readonly work: UnitOfWork) {}

  /**
   * Sign-in data, keys, sessions with everything in them, memberships and markers go; what was said in shared places
   * stays without its author (docs/security.md says why). Servers are passed on, or deleted where nobody else is in
   * them. Throws 409 `last_administrator`.
   */
  async delete({ userId }: Actor): Promise<void> {
    await this.work.run(async (tx) => {
      const wasAdministrator = await isAdministrator(tx, userId);
      if (wasAdministrator) await mustNotBeLastAdministrator(tx, userId);
      await lockTheirs(tx, userId);
      await tx.query(`SELECT 1 FROM users WHERE id = $1 FOR UPDATE`, [userId]);
      // Made one at this very moment: whether they are the last is found out by the next try.
      if (!wasAdministrator && (await isAdministrator(tx, userId))) throw Problem.unavailable();
      await leaveServers(tx, userId);
      await deleteSessions(tx, userId);
      await leaveAdvocacy(tx, userId);
      await leaveDirects(tx, userId);
      await endLogins(tx, userId, { accessEnded: true });
      await tx.query(`DELETE FROM attachments WHERE uploader_id = $1 AND message_id IS NULL`, [userId]);
      await tx.delete(`DELETE FROM users WHERE id = $1`, [userId]);
    });
  }
}

/**
 * Locks their servers and rooms before the person is locked for good: whoever writes there, or acts on them there, does so
 * in this order too. The first lock keeps them from claiming more. What else they come into meanwhile is locked as it is
 * left. Of channels only those are locked that go with them.
 */
async function lockTheirs(tx: Tx, userId: string): Promise<void> {
  await tx.query(`SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE`, [userId]);
  await tx.query(
    `SELECT 1 FROM servers WHERE id = ANY(ARRAY(SELECT server_id FROM memberships WHERE user_id = $1))
     ORDER BY id FOR NO KEY UPDATE`,
    [userId],
  );
  const rooms = await tx.query<{ id: string }>(
    `SELECT id FROM sessions WHERE owner_id = $1 UNION SELECT id FROM sessions WHERE advocate_id = $1
     UNION SELECT direct_id FROM direct_participants WHERE user_id = $1
     UNION SELECT channel.id FROM memberships mine JOIN channels channel ON channel.server_id = mine.server_id
       WHERE mine.user_id = $1 AND NOT EXISTS (
         SELECT 1 FROM memberships other WHERE other.server_id = mine.server_id AND other.user_id <> $1)`,
    [userId],
  );
  await lockRooms(
    tx,
    rooms.map(({ id }) => id),
  );
}

async function isAdministrator(tx: Tx, userId: string): Promise<boolean> {
  return (await tx.one(`SELECT 1 FROM users WHERE id = $1 AND is_admin`, [userId])) !== undefined;
}

/**
 * The same lock, in the same order, as a demotion takes; one that lets administrators write meanwhile, since to delete
 * much takes its time.
 */
async function mustNotBeLastAdministrator(tx: Tx, userId: string): Promise<void> {
  const administrators = await tx.query<{ id: string }>(
    `SELECT id FROM users WHERE is_admin AND disabled_at IS NULL ORDER BY id FOR NO KEY UPDATE`,
  );
  const [first, ...others] = administrators;
  if (first?.id === userId && others.length === 0) {
    throw Problem.conflict('last_administrator', 'The last administrator cannot go: make somebody else one first.');
  }
}

async function deleteSessions(tx: Tx, userId: string): Promise<void> {
  await tx.query(
    `SELECT 1 FROM sessions s JOIN conversations c ON c.id = s.id WHERE s.owner_id = $1 ORDER BY c.id FOR UPDATE OF c`,
    [userId],
  );
  // A statement of its own: the one that waits for the locks still sees whoever helped before.
  const sessions = await tx.query<{ id: string; advocateId: string | null; waits: boolean }>(
    `SELECT s.id, s.advocate_id AS "advocateId", ${WAITS} AS waits FROM sessions s WHERE s.owner_id = $1`,
    [userId],
  );
  await deleteConversations(
    tx,
    sessions.map(({ id }) => id),
  );
  for (const { id, advocateId, waits } of sessions) {
    const audience: Topic[] = advocateId ? [`user:${userId}`, `user:${advocateId}`] : [`user:${userId}`];
    tx.announce(StandingChanged([], { scope: `conversation:${id}` }));
    tx.announce(ConversationDeleted(audience, { conversationId: id }));
    if (waits) tx.announce(SessionDequeued(ADVOCATES, { sessionId: id }));
  }
}

/** What was said stays for the others; nobody is left to read a conversation of nobody. */
async function leaveDirects(tx: Tx, userId: string): Promise<void> {
  const directs = await tx.query<{ id: string }>(
    `SELECT c.id FROM direct_participants p JOIN conversations c ON c.id = p.direct_id
     WHERE p.user_id = $1 ORDER BY c.id FOR UPDATE OF c`,
    [userId],
  );
  const ids = directs.map(({ id }) => id);
  await tx.query(`DELETE FROM direct_participants WHERE user_id = $1`, [userId]);
  await tx.delete(
    `DELETE FROM conversations c WHERE c.id = ANY($1)
       AND NOT EXISTS (SELECT 1 FROM direct_participants p WHERE p.direct_id = c.id)`,
    [ids],
  );
  for (const id of ids) tx.announce(StandingChanged([], { scope: `conversation:${id}` }));
}
