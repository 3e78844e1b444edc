import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

export interface TestDatabase {
  url: string;
  /** How many there were until now; to be asked once nobody is connected any more, since that is when all are counted. */
  deadlocks(): Promise<number>;
  drop(): Promise<void>;
}

/** A migrated database of its own, for one test file: a clone of the run's template. */
export function createTestDatabase(): Promise<TestDatabase> {
  return create(`${prefix()}_template`);
}

/** A database without a table: for tests of the migrations and of first boots. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return create('template0');
}

async function create(template: string): Promise<TestDatabase> {
  const name = `${prefix()}_${process.env.JEST_WORKER_ID}_${randomBytes(4).toString('hex')}`;
  await withRetries(() => execute(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY FILE_COPY`));
  const url = new URL(serverUrl());
  url.pathname = `/${name}`;
  return {
    url: url.href,
    deadlocks: () => deadlocksIn(name),
    drop: async () => void (await execute(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  };
}

async function deadlocksIn(name: string): Promise<number> {
  const connected = `SELECT 1 FROM pg_stat_activity WHERE datname = '${name}' AND backend_type = 'client backend'`;
  for (let looks = 0; looks < 100 && (await execute(connected)).length > 0; looks += 1) await sleep(10);
  const [counted] = await execute<{ deadlocks: number }>(
    `SELECT deadlocks::int AS deadlocks FROM pg_stat_database WHERE datname = '${name}'`,
  );
  return counted?.deadlocks ?? 0;
}

const OBJECT_IN_USE = '55006';

/** PostgreSQL's own autovacuum may be looking at the template for a moment. */
async function withRetries(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      if (attempt === 10 || (error as { code?: string }).code !== OBJECT_IN_USE) throw error;
      await sleep(100 * attempt);
    }
  }
}

async function execute<R extends pg.QueryResultRow>(sql: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: serverUrl() });
  await client.connect();
  try {
    return (await client.query<R>(sql)).rows;
  } finally {
    await client.end();
  }
}

function serverUrl(): string {
  return fromGlobalSetup('PARLEY_TEST_SERVER_URL');
}

function prefix(): string {
  return fromGlobalSetup('PARLEY_TEST_PREFIX');
}

function fromGlobalSetup(name: string): string {
  const value = process.env[name];
  if (!value)
    throw new Error(`${name} is not set: test databases exist under Jest only, whose globalSetup makes them.`);
  return value;
}
