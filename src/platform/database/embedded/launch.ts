import { type ChildProcess, spawn } from 'node:child_process';
import { chown, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { findLauncher } from './account.js';
import { type Cluster } from './cluster.js';
import { EmbeddedPostgresError } from './errors.js';
import { serverEnvironment } from './server-environment.js';

/** A server that was spawned, and may or may not live. */
export interface Launch {
  /** Undefined while it runs. */
  readonly ended: () => string | undefined;
  /** Stops it if it runs. */
  readonly abandon: () => void;
  /** Where its own lines begin in the server's log. */
  readonly logStart: number;
}

const UNSAFE_BUT_FAST = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];

/** Takes the port to listen on. The server outlives this process, and Ctrl-C in its terminal does not reach it. */
export async function launchServer(cluster: Cluster, port: number): Promise<Launch> {
  const { account, binaries, dir, durable, serverLog } = cluster;
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', ...(durable ? [] : UNSAFE_BUT_FAST)];
  const launch = await findLauncher(account, binaries, dir);
  const { command, args, identity } = launch(binaries.postgres, [
    ...['-D', dir, '-p', String(port)],
    ...settings.flatMap((setting) => ['-c', setting]),
  ]);
  await serverLog.rotate();
  const logStart = await serverLog.size();
  const child = serverLog.withDescriptor((log) =>
    spawn(command, args, {
      ...identity,
      detached: true,
      stdio: ['ignore', log, log],
      cwd: dir,
      env: serverEnvironment(),
      windowsHide: true,
    }),
  );
  child.unref();
  const ended = watchEnd(child);
  if (account) await chown(serverLog.file, account.uid, account.gid).catch(() => undefined);
  return { ended, abandon: () => child.kill('SIGINT'), logStart };
}

/** Gives the port that the server had last: whoever holds its address finds it again. */
export async function lastPort(cluster: Cluster): Promise<number | undefined> {
  const options = await readFile(path.join(cluster.dir, 'postmaster.opts'), 'utf8').catch(() => '');
  const port = Number(/"-p" "(\d+)"/.exec(options)?.[1]);
  return port > 0 ? port : undefined;
}

/** Gives a port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Whether another launch may succeed where this one failed. Throws EmbeddedPostgresError where none will. */
export async function judgeFailure(cluster: Cluster, launch: Launch): Promise<'port' | 'wait'> {
  const said = await cluster.serverLog.since(launch.logStart);
  if (/could not bind|address already in use/i.test(said)) return 'port';
  // Processes of a server that was killed take a moment to notice.
  if (/pre-existing shared memory block/.test(said)) return 'wait';
  // Another starter was faster.
  if (/lock file "postmaster.pid"/.test(said) || launch.ended() === 'exit code 0') return 'wait';
  throw new EmbeddedPostgresError(
    `PostgreSQL does not start on ${cluster.dir} (${launch.ended()}).${await cluster.serverLog.tail(launch.logStart)}`,
  );
}

function watchEnd(child: ChildProcess): () => string | undefined {
  let end: string | undefined;
  child.once('exit', (code, signal) => (end ??= signal ?? `exit code ${code}`));
  child.once('error', (error) => (end ??= error.message));
  return () => end;
}
