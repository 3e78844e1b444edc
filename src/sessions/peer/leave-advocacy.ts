import { StandingChanged } from '../../access/access.events.js';
import { ConversationDeleted, ConversationUpdated } from '../../conversations/conversations.events.js';
import type { Tx } from '../../platform/database/unit-of-work.js';
import { tellWatchers } from './queue-watch.js';

/**
 * Locks a person, so that they claim nothing more, and then the rooms of those whom they help: what is done there at this
 * moment is done before. A send locks its room first and the people in it after that, which this lock of them lets pass.
 */
export async function lockHelped(tx: Tx, userId: string): Promise<void> {
  await tx.query(`SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE`, [userId]);
  await tx.query(
    `SELECT 1 FROM sessions s JOIN conversations c ON c.id = s.id
     WHERE s.advocate_id = $1 ORDER BY c.id FOR NO KEY UPDATE OF c`,
    [userId],
  );
}

/** Those whom the person helped wait for somebody else from now on. */
export async function leaveAdvocacy(tx: Tx, userId: string): Promise<void> {
  const sessions = await tx.query<{ id: string; ownerId: string }>(
    `UPDATE sessions SET advocate_id = NULL, queued_at = clock_timestamp(), updated_at = clock_timestamp()
     WHERE advocate_id = $1 RETURNING id, owner_id AS "ownerId"`,
    [userId],
  );
  for (const { id, ownerId } of sessions) {
    tx.announce(StandingChanged([], { scope: `conversation:${id}` }));
    tx.announce(ConversationDeleted([`user:${userId}`], { conversationId: id }));
    tx.announce(ConversationUpdated([`user:${ownerId}`], { conversation: { id, advocate: null } }));
    await tellWatchers(tx, id, false, userId);
  }
}
