import type { Tx } from '../platform/database/unit-of-work.js';

/**
 * Locks these rooms and their threads, for good, in the order in which sends lock them: so that neither waits for the
 * other in a circle.
 */
export async function lockRooms(tx: Tx, ids: string[]): Promise<void> {
  await tx.query(
    `SELECT 1 FROM conversations
     WHERE id = ANY(ARRAY(SELECT unnest($1::uuid[]) UNION SELECT id FROM threads WHERE parent_id = ANY($1)))
     ORDER BY id FOR UPDATE`,
    [ids],
  );
}

/** With all that was said in them and in their threads. */
export async function deleteConversations(tx: Tx, ids: string[]): Promise<void> {
  await lockRooms(tx, ids);
  await tx.delete(`DELETE FROM conversations WHERE id = ANY($1)`, [ids]);
}
