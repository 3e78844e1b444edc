import type { Tx } from '../../platform/database/unit-of-work.js';

/**
 * How far the changes of each conversation jump. What was said after the backup is lost, and its numbers would come
 * again with other contents: after the jump every client that was there finds its place gone, and loads anew.
 */
const REV_JUMP = 1_000_000_000;

export async function jumpRevs(tx: Tx): Promise<void> {
  await tx.query(`UPDATE conversations SET last_rev = last_rev + ${REV_JUMP}, floor_rev = last_rev + ${REV_JUMP}`);
  // What an import remembers of them: else they would look as if people had been at them since.
  await tx.query(
    `UPDATE imported_ids SET rev = rev + ${REV_JUMP}
     WHERE kind = 'conversation' OR kind = 'change' AND target_id = conversation_id`,
  );
}
