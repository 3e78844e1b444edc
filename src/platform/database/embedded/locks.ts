import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type QueryResultRow } from 'pg';
import { SUPERUSER } from './names.js';

export type Role = 'app' | 'command';

/** Any numbers of our own choice. */
const SPACE = 7_275_939;
const USERS = 1;
const APP = 2;
const SETUP = 3;

/** A process that was killed loses its lock as soon as the server notices. */
const APP_PATIENCE_MS = 2_000;

/** Signs in as one who uses the server; no while the last one before is about to stop it. */
export async function takeUserLock(client: Client): Promise<boolean> {
  return isGranted(client, 'pg_try_advisory_lock_shared', USERS);
}

/** Claims the data folder for an app; no while another app has it. */
export async function takeAppLock(client: Client): Promise<boolean> {
  const end = Date.now() + APP_PATIENCE_MS;
  while (!(await isGranted(client, 'pg_try_advisory_lock', APP))) {
    if (Date.now() > end) return false;
    await sleep(100);
  }
  return true;
}

/** Gives up all locks; says whether nobody else uses the server. Then nobody can begin to until the connection ends. */
export async function signOut(client: Client): Promise<boolean> {
  await client.query('SELECT pg_advisory_unlock_all()');
  return isGranted(client, 'pg_try_advisory_lock', USERS);
}

/** Gives the process that holds the app lock, as far as it can be known. */
export async function findApp(client: Client): Promise<string | undefined> {
  const app = await first<{ application_name: string }>(
    client,
    `SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid)
     WHERE locktype = 'advisory' AND classid = ${SPACE} AND objid = ${APP} AND granted`,
  );
  return /^parley (\d+)$/.exec(app?.application_name ?? '')?.[1];
}

/** Makes the app's database unless it is there. */
export async function createDatabase(client: Client, name: string): Promise<void> {
  await client.query(`SELECT pg_advisory_lock(${SPACE}, ${SETUP})`);
  try {
    const exists = await first(client, 'SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (!exists) await client.query(`CREATE DATABASE "${name}" OWNER "${SUPERUSER}"`);
  } finally {
    await client.query(`SELECT pg_advisory_unlock(${SPACE}, ${SETUP})`).catch(() => undefined);
  }
}

async function isGranted(client: Client, lock: string, key: number): Promise<boolean> {
  return (await first<{ granted: boolean }>(client, `SELECT ${lock}(${SPACE}, ${key}) AS granted`))?.granted === true;
}

async function first<Row extends QueryResultRow>(
  client: Client,
  sql: string,
  values: unknown[] = [],
): Promise<Row | undefined> {
  return (await client.query<Row>(sql, values)).rows[0];
}
