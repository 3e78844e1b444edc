import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareCluster } from '../../src/platform/database/embedded/cluster.js';
import { SUPERUSER } from '../../src/platform/database/embedded/names.js';
import { readLock } from '../../src/platform/database/embedded/lock-file.js';
import { ensureRunning, stopServer } from '../../src/platform/database/embedded/server.js';
import { isPostgresOf } from '../../src/platform/database/embedded/process-identity.js';

export interface ChaosPostgres {
  url: string;
  /** SIGINT ends sessions in good order; SIGQUIT is a crash, which the log must make good. Back up after `ms`. */
  restart(signal: 'SIGINT' | 'SIGQUIT', ms: number): Promise<void>;
  /** The server and all its sessions. */
  freeze(ms: number): Promise<void>;
  stop(): Promise<void>;
}

/** A durable PostgreSQL of the run's own, which may be hit without hurting other tests. */
export async function startPostgres(): Promise<ChaosPostgres> {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'parley-chaos-'));
  await chmod(dataDir, 0o755);
  const cluster = await prepareCluster({ dataDir });

  const start = async (): Promise<number> => {
    const { client, port } = await ensureRunning(cluster);
    await client.end();
    return port;
  };
  const pid = async (): Promise<number> => {
    const lock = await readLock(cluster.dir);
    if (lock.kind !== 'held') throw new Error('PostgreSQL does not run');
    return lock.postmaster.pid;
  };
  const port = await start();
  return {
    url: `postgres://${SUPERUSER}:${encodeURIComponent(cluster.password)}@127.0.0.1:${port}/postgres`,
    restart: async (signal, ms) => {
      const running = await pid();
      process.kill(running, signal);
      while (await isPostgresOf(running, cluster.dir)) await sleep(20);
      await sleep(ms);
      await start();
    },
    freeze: async (ms) => {
      const frozen = familyOf(await pid());
      signal(frozen, 'SIGSTOP');
      await sleep(ms);
      signal(frozen, 'SIGCONT');
    },
    stop: async () => {
      await stopServer(cluster);
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function familyOf(parent: number): number[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const children = rows.map((row) => row.trim().split(/\s+/).map(Number)).filter(([, ppid]) => ppid === parent);
  return [parent, ...children.map(([child]) => child as number)];
}

/** A session that has ended meanwhile is none. */
function signal(pids: number[], name: 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
