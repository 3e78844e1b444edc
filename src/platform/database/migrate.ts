import { type DataSource } from 'typeorm';

/** Any number of our own choice; every node and command that migrates takes this advisory lock first. */
const MIGRATION_LOCK = 7_275_939_001;

export class OldSchemaError extends Error {}

/**
 * Brings the schema up to date. Of several nodes that boot at once one migrates and the others wait for it: the
 * lock is held by a session of its own, so that it goes when its holder dies.
 */
export async function migrate(dataSource: DataSource): Promise<string[]> {
  return underMigrationLock(dataSource, async () => {
    const done = await dataSource.runMigrations({ transaction: 'each' });
    return done.map(({ name }) => name);
  });
}

export async function underMigrationLock<T>(dataSource: DataSource, work: () => Promise<T>): Promise<T> {
  const holder = dataSource.createQueryRunner();
  try {
    await holder.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    return await work();
  } finally {
    await holder.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    await holder.release();
  }
}

/** Makes sure that the schema is the one this program knows: brings it up to date, or refuses where that is manual. */
export async function readySchema(dataSource: DataSource, mode: 'auto' | 'manual'): Promise<void> {
  if (mode === 'auto') await migrate(dataSource);
  else await refuseOldSchema(dataSource);
}

/** Throws OldSchemaError, which says what to run, where migrations are waiting. Changes nothing. */
async function refuseOldSchema(dataSource: DataSource): Promise<void> {
  const applied = await appliedMigrations(dataSource);
  const waiting = dataSource.migrations
    .map((migration) => migration.name ?? migration.constructor.name)
    .filter((name) => !applied.has(name));
  if (waiting.length > 0) {
    throw new OldSchemaError(
      `The database lacks ${waiting.length} migration(s), the first is ${waiting[0]}.\n` +
        'MIGRATIONS=manual leaves this to you: run `npm run migration:run`, then start again.',
    );
  }
}

async function appliedMigrations(dataSource: DataSource): Promise<Set<string>> {
  const runner = dataSource.createQueryRunner();
  try {
    if (!(await runner.hasTable('migrations'))) return new Set();
    const rows = (await runner.query('SELECT name FROM migrations')) as { name: string }[];
    return new Set(rows.map(({ name }) => name));
  } finally {
    await runner.release();
  }
}
