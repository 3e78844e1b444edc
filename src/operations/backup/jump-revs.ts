import type { Tx } from '../../platform/database/unit-of-work.js';

/**
 * How far the changes of each conversation jump. What was said after the backup is lost, and its numbers would come
 * again with other contents: after the jump every client that was there finds its place gone, and loads anew.
 */
const REV_JUMP = 1_000_000_000;

export async function jumpRevs(tx: Tx): Promise<void> {
  await tx.query(`UPDATE conversations SET last_rev = last_rev + ${REV_JUMP}, floor_rev = last_rev + ${REV_JUMP}`);
}
