import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { accountInsteadOfRoot, findLauncher, giveTo } from './account.js';
import { type Binaries } from './binaries.js';
import { hasCode } from '../../error-code.js';
import { EmbeddedPostgresError } from './errors.js';
import { SUPERUSER } from './names.js';
import { isAlive } from './process-identity.js';
import { serverEnvironment } from './server-environment.js';

export interface NewCluster {
  readonly dir: string;
  readonly binaries: Binaries;
  readonly password: string;
  readonly durable: boolean;
}

const ATTEMPT = /^postgres\.tmp-(\d+)-[0-9a-f]+$/;
const INITDB_MS = 120_000;

const myAttempts = new Set<string>();

/**
 * Makes the cluster in a folder aside and moves it into place as a whole: a kill leaves nothing half done, and of two
 * first starts one is there first and the other goes on with what it made. Throws EmbeddedPostgresError.
 */
export async function createCluster(cluster: NewCluster): Promise<void> {
  const attempt = `postgres.tmp-${process.pid}-${randomBytes(6).toString('hex')}`;
  const folder = path.join(path.dirname(cluster.dir), attempt);
  myAttempts.add(attempt);
  try {
    await mkdir(folder, { mode: 0o700 });
    await runInitdb(cluster, folder);
    await moveIntoPlace(path.join(folder, 'data'), cluster);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
    myAttempts.delete(attempt);
  }
}

/** Removes what starts that were killed left in the data folder. */
export async function removeDeadAttempts(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    const pid = ATTEMPT.exec(name)?.[1];
    if (pid === undefined || !(await isDead(path.join(dataDir, name), Number(pid)))) continue;
    await rm(path.join(dataDir, name), { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
  }
}

async function isDead(attempt: string, pid: number): Promise<boolean> {
  if (pid === process.pid) return !myAttempts.has(path.basename(attempt));
  if (!isAlive(pid)) return true;
  // Its process id may have gone to another process since.
  const made = (await stat(attempt).catch(() => undefined))?.mtimeMs ?? Date.now();
  return Date.now() - made > 2 * INITDB_MS;
}

async function runInitdb({ binaries, password, durable }: NewCluster, folder: string): Promise<void> {
  const account = await accountInsteadOfRoot();
  const passwordFile = path.join(folder, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (account) for (const entry of [folder, passwordFile]) await giveTo(account, entry);

  const launch = await findLauncher(account, binaries, folder);
  const { command, args, identity } = launch(binaries.initdb, [
    ...['--pgdata', path.join(folder, 'data'), '--username', SUPERUSER, '--pwfile', passwordFile],
    ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--no-instructions'],
    // PostgreSQL's own C.UTF-8: the same order on every system, whatever locales that has.
    ...['--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8', '--locale', 'C'],
    ...(durable ? [] : ['--no-sync']),
  ]);
  const limits = { timeout: INITDB_MS, killSignal: 'SIGKILL' as const };
  await promisify(execFile)(command, args, { ...identity, ...limits, cwd: folder, env: serverEnvironment() }).catch(
    (error: unknown) => {
      throw new EmbeddedPostgresError(`The database cluster could not be made: ${reasonOf(error)}`, { cause: error });
    },
  );
}

function reasonOf(error: unknown): string {
  const { killed, stderr, message } = error as Error & { killed?: boolean; stderr?: string };
  if (killed) return `initdb did not end within ${INITDB_MS / 1000} s`;
  return stderr?.trim() ? `initdb says:\n${stderr.trim().split('\n').slice(-15).join('\n')}` : message;
}

async function moveIntoPlace(made: string, { dir, durable }: NewCluster): Promise<void> {
  try {
    await rename(made, dir);
  } catch (error) {
    const another = await stat(path.join(dir, 'PG_VERSION')).catch(() => undefined);
    if (another && hasCode(error, 'ENOTEMPTY', 'EEXIST', 'EPERM')) return;
    throw error;
  }
  if (durable) await syncFolder(path.dirname(dir));
}

/** Windows cannot do this. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
