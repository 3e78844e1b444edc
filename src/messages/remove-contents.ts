import { eventIn, type Room } from '../access/facts.js';
import { ConversationUpdated } from '../conversations/conversations.events.js';
import type { Tx } from '../platform/database/unit-of-work.js';

/** Leaves of these messages only their places: what they said, said before and got in answer is gone. */
export async function removeContents(tx: Tx, conversationId: string, messageIds: string[]): Promise<void> {
  const keys = [conversationId, messageIds];
  // First, in the order in which the deletion of an account comes to what that person said and chose.
  await tx.query(
    `UPDATE messages SET content = NULL, metadata = NULL, sent_hash = NULL, reactions = NULL, attachments = NULL, pinned_at = NULL,
       mentions = NULL, mentions_everyone = false, deleted_at = now()
     WHERE conversation_id = $1 AND id = ANY($2)`,
    keys,
  );
  await tx.query(`DELETE FROM message_revisions WHERE conversation_id = $1 AND message_id = ANY($2)`, keys);
  await tx.query(`DELETE FROM reactions WHERE conversation_id = $1 AND message_id = ANY($2)`, keys);
  await tx.query(`DELETE FROM attachments WHERE conversation_id = $1 AND message_id = ANY($2)`, keys);
  await tx.query(
    `DELETE FROM mentions WHERE conversation_id = $1
       AND seq IN (SELECT seq FROM messages WHERE conversation_id = $1 AND id = ANY($2))`,
    keys,
  );
}

/**
 * Before these messages of a session go, or without ids all of them: where its title is the beginning of what one of
 * them says, or said before an edit, that goes with it. `instead` is what the message says from now on.
 */
export async function untitle(
  tx: Tx,
  room: Room,
  messageIds: string[] | null = null,
  instead: string | null = null,
): Promise<void> {
  if (room.kind !== 'session') return;
  const retitled = await tx.one<{ title: string | null }>(
    `UPDATE sessions SET updated_at = now(), title = title_of($3)
     WHERE id = $1 AND title IN (
       SELECT title_of(content) FROM messages
       WHERE conversation_id = $1 AND ($2::uuid[] IS NULL OR id = ANY($2)) AND content IS NOT NULL
       UNION ALL
       SELECT title_of(content) FROM message_revisions
       WHERE conversation_id = $1 AND ($2::uuid[] IS NULL OR message_id = ANY($2))
     ) RETURNING title`,
    [room.id, messageIds, instead],
  );
  if (retitled) tx.announce(eventIn(room, ConversationUpdated, { conversation: { id: room.id, ...retitled } }));
}
