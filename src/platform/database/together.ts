import DataLoader from 'dataloader';

const MOST = 500;
/** Reads of one kind begin no sooner after each other than this. */
const APART_MS = 10;

/**
 * Reads in one statement what is asked for one by one: thousands who come back at once ask for the same few things
 * each. Who asks alone is read for in the same turn of the event loop; what is asked for within 10 ms of that gathers for
 * the next read. It begins after all that it answers was asked for, and nothing is remembered. Gives undefined for what
 * `read` does not find, and throws to all of them what it throws.
 *
 * @param most how many keys one read takes
 */
export function together<T>(
  read: (keys: readonly string[]) => Promise<ReadonlyMap<string, T>>,
  most = MOST,
): (key: string) => Promise<T | undefined> {
  let next = -Infinity;
  const schedule = (go: () => void): void => {
    const now = performance.now();
    const wait = next - now;
    next = Math.max(now, next) + APART_MS;
    if (wait > 0) setTimeout(go, wait);
    else setImmediate(go);
  };
  const loader = new DataLoader<string, T | undefined>(
    async (keys) => {
      const found = await read([...new Set(keys)]);
      return keys.map((key) => found.get(key));
    },
    { cache: false, maxBatchSize: most, batchScheduleFn: schedule },
  );
  return (key) => loader.load(key);
}
