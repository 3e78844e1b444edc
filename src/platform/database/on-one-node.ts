import type { DataSource } from 'typeorm';

/**
 * Runs `work` unless it runs already, on whichever node of this database; false then. The lock is held by a session of
 * its own, so that it goes when its holder dies. `lock` is any number that nothing else uses.
 */
export async function onOneNode(dataSource: DataSource, lock: number, work: () => Promise<void>): Promise<boolean> {
  const holder = dataSource.createQueryRunner();
  try {
    const [row] = (await holder.query('SELECT pg_try_advisory_lock($1) AS held', [lock])) as [{ held: boolean }];
    if (!row.held) return false;
    try {
      await work();
    } finally {
      await holder.query('SELECT pg_advisory_unlock($1)', [lock]);
    }
    return true;
  } finally {
    await holder.release();
  }
}
