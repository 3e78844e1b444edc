import { Client } from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 3_000;

/** A lock that is in the way is somebody's migration: the next round is soon enough. */
const SWEEP = `
  SET lock_timeout = '1s';
  SET maintenance_work_mem = '128MB';
  SELECT gin_clean_pending_list(i) FROM unnest(ARRAY['messages_words', 'messages_parts']::regclass[]) AS i`;

/**
 * Stores messages, which `work` does on `client`, without waiting for the search indexes: new entries pile up in their
 * pending lists, and a connection of its own works these off meanwhile, in batches that are large enough to be cheap. The
 * lists are empty when it returns. Where no second connection is to be had, `work` does it all.
 */
export async function withSearchBeside<T>(client: Client, work: () => Promise<T>): Promise<T> {
  const sweeper = await secondOf(client);
  if (!sweeper) return work();
  await client.query(`SET LOCAL gin_pending_list_limit = '1GB'`);
  const stop = new AbortController();
  const swept = sweep(sweeper, stop.signal);
  try {
    return await work();
  } finally {
    stop.abort();
    await swept;
  }
}

/** Until it is stopped, and once more. */
async function sweep(sweeper: Client, stop: AbortSignal): Promise<void> {
  try {
    for (let last = false; !last;) {
      last = stop.aborted;
      await sweeper.query(SWEEP).catch(() => undefined);
      await sleep(PAUSE_MS, undefined, { signal: stop }).catch(() => undefined);
    }
  } finally {
    await sweeper.end().catch(() => undefined);
  }
}

async function secondOf({ host, port, user, password, database, ssl }: Client): Promise<Client | undefined> {
  const second = new Client({ host, port, user, password, database, ssl, connectionTimeoutMillis: 5_000 });
  second.on('error', () => undefined);
  try {
    await second.connect();
    return second;
  } catch {
    await second.end().catch(() => undefined);
    return undefined;
  }
}
