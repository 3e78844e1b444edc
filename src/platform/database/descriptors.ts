import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '../error-code.js';

const PATIENCE_MS = 10_000;
const RETRY_MS = 20;

/**
 * Does what takes a connection. Without a file descriptor for one more, as where sockets have taken them all, it waits
 * for one that is open; what failed so has not begun.
 */
export async function withDescriptor<T>(act: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!hasCode(error, 'EMFILE') || performance.now() > deadline) throw error;
      await sleep(RETRY_MS);
    }
  }
}
