import DataLoader from 'dataloader';

const MOST = 500;

/**
 * Reads in one statement what is asked for one by one in the same turn of the event loop: thousands who come back at
 * once ask for the same few things each. Nothing is remembered. Gives undefined for what `read` does not find, and
 * throws to all of them what it throws.
 */
export function together<T>(
  read: (keys: readonly string[]) => Promise<ReadonlyMap<string, T>>,
): (key: string) => Promise<T | undefined> {
  const loader = new DataLoader<string, T | undefined>(
    async (keys) => {
      const found = await read([...new Set(keys)]);
      return keys.map((key) => found.get(key));
    },
    { cache: false, maxBatchSize: MOST, batchScheduleFn: (go) => void setImmediate(go) },
  );
  return (key) => loader.load(key);
}
