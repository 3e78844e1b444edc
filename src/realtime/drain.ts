import { CLOSE } from './close-codes.js';
import type { Connection } from './connection.js';

const FINISH_MS = 2_000;
const SPREAD_MS = 3_000;
const SPREAD_EACH_MS = 2;

/**
 * Ends connections for a restart: nothing more is read, what was sent is finished and acknowledged, then they are
 * closed with 1012, spread over up to three seconds, so that not everybody comes back in the same moment.
 */
export async function drain(connections: Connection[]): Promise<void> {
  for (const connection of connections) connection.intake.stop();
  await until(() => connections.every(({ intake }) => intake.isIdle), FINISH_MS);
  const each = Math.min(SPREAD_EACH_MS, SPREAD_MS / Math.max(1, connections.length));
  for (const [i, connection] of connections.entries()) {
    connection.close(CLOSE.restarting, 'the server restarts');
    if (i % 50 === 49) await sleep(each * 50);
  }
  await until(() => connections.every(({ ws }) => ws.readyState === ws.CLOSED), FINISH_MS);
  for (const { ws } of connections) ws.terminate();
}

async function until(done: () => boolean, ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (!done() && performance.now() < end) await sleep(10);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
