import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const EACH = 16;
const pool = new Uint8Array(256 * EACH);
let used = pool.length;

/** A UUID of version 7. Asks the system for randomness once for many: to ask for each costs as much as to read a frame. */
export function messageId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return v7({ random: pool.subarray(used, (used += EACH)) });
}
