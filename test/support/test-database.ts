import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

export interface TestDatabase {
  url: string;
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
  return { url: url.href, drop: () => execute(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

const OBJECT_IN_USE = '55006';

/** PostgreSQL's own autovacuum may be looking at the template for a moment. */
async function withRetries(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === 10 || (error as { code?: string }).code !== OBJECT_IN_USE) throw error;
      await sleep(100 * attempt);
    }
  }
}

async function execute(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl() });
  await client.connect();
  try {
    await client.query(sql);
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
