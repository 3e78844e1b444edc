import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Client } from 'pg';
import { type Cluster } from './cluster.js';
import { tryConnect } from './connection.js';
import { hasCode } from '../../error-code.js';
import { EmbeddedPostgresError } from './errors.js';
import { freePort, judgeFailure, lastPort, type Launch, launchServer } from './launch.js';
import { type LockState, readLock, removeStaleLock } from './lock-file.js';
import { Patience } from './patience.js';
import { isPostgresOf } from './process-identity.js';

export interface RunningServer {
  readonly client: Client;
  readonly port: number;
  /** Rather than found running. */
  readonly launched: boolean;
}

const FAST_SHUTDOWN_MS = 8_000;
const IMMEDIATE_SHUTDOWN_MS = 5_000;

/**
 * Gives a connection to the server of this cluster: the one that runs, or one that it starts. While one is starting,
 * recovering or stopping it waits. Throws EmbeddedPostgresError, and the signal's reason once that is aborted.
 */
export async function ensureRunning(cluster: Cluster, signal?: AbortSignal): Promise<RunningServer> {
  const patience = new Patience(cluster);
  let launch: Launch | undefined;
  let port = await lastPort(cluster);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const lock = await readLock(cluster.dir);
      await patience.check(lock);
      const client = await connectToHolder(cluster, lock);
      if (client) return { client, port: client.port, launched: launch !== undefined };
      if (mayStart(lock, launch)) {
        if (launch) port = (await judgeFailure(cluster, launch)) === 'port' ? undefined : port;
        if (launch) await sleep(200);
        if (lock.kind === 'stale' && lock.blocks) await removeStaleLock(cluster.dir, lock.content);
        launch = await launchServer(cluster, (port ??= await freePort()));
      }
      await sleep(50);
    }
  } catch (error) {
    if (!signal?.aborted) launch?.abandon();
    throw error;
  }
}

/** Stops the server if one runs, by force if it will not. Throws EmbeddedPostgresError if even that fails. */
export async function stopServer(cluster: Cluster): Promise<void> {
  const lock = await readLock(cluster.dir);
  if (lock.kind !== 'held') return;
  const { pid } = lock.postmaster;
  await askToStop(cluster, pid, 'fast');
  if (await isGone(cluster, pid, FAST_SHUTDOWN_MS)) return cluster.say('PostgreSQL stopped');
  await askToStop(cluster, pid, 'immediate');
  if (await isGone(cluster, pid, IMMEDIATE_SHUTDOWN_MS)) return cluster.say('PostgreSQL had to be stopped by force');
  throw new EmbeddedPostgresError(
    `PostgreSQL (process ${pid}) does not stop. End it by hand.${await cluster.serverLog.tail()}`,
  );
}

/** A server that is not ready is not asked: every refused connection is a line in its log. */
async function connectToHolder(cluster: Cluster, lock: LockState): Promise<Client | undefined> {
  const ready = lock.kind === 'held' && lock.postmaster.status === 'ready';
  return ready ? tryConnect(cluster, lock.postmaster.port) : undefined;
}

function mayStart(lock: LockState, launch: Launch | undefined): boolean {
  const stillComing = launch !== undefined && launch.ended() === undefined;
  return !stillComing && (lock.kind === 'free' || lock.kind === 'stale');
}

async function askToStop(cluster: Cluster, pid: number, mode: 'fast' | 'immediate'): Promise<void> {
  if (process.platform === 'win32') {
    // There a signal from Node would end the process on the spot.
    const args = ['stop', '-D', cluster.dir, '-m', mode, '-W'];
    await promisify(execFile)(cluster.binaries.pg_ctl, args, { windowsHide: true, timeout: 5_000 }).catch(
      () => undefined,
    );
    return;
  }
  try {
    process.kill(pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

async function isGone(cluster: Cluster, pid: number, patienceMs: number): Promise<boolean> {
  const end = Date.now() + patienceMs;
  while (await isPostgresOf(pid, cluster.dir)) {
    if (Date.now() > end) return false;
    await sleep(50);
  }
  return true;
}
