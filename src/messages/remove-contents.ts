import type { Tx } from '../platform/database/unit-of-work.js';

/** Leaves of these messages only their places: what they said, said before and got in answer is gone. */
export async function removeContents(tx: Tx, conversationId: string, messageIds: string[]): Promise<void> {
  const keys = [conversationId, messageIds];
  await tx.query(`DELETE FROM message_revisions WHERE conversation_id = $1 AND message_id = ANY($2)`, keys);
  await tx.query(`DELETE FROM reactions WHERE conversation_id = $1 AND message_id = ANY($2)`, keys);
  await tx.query(`DELETE FROM attachments WHERE conversation_id = $1 AND message_id = ANY($2)`, keys);
  await tx.query(
    `DELETE FROM mentions WHERE conversation_id = $1
       AND seq IN (SELECT seq FROM messages WHERE conversation_id = $1 AND id = ANY($2))`,
    keys,
  );
  await tx.query(
    `UPDATE messages SET content = NULL, metadata = NULL, sent_hash = NULL, reactions = NULL, attachments = NULL, pinned_at = NULL,
       mentions = NULL, mentions_everyone = false, deleted_at = now()
     WHERE conversation_id = $1 AND id = ANY($2)`,
    keys,
  );
}
