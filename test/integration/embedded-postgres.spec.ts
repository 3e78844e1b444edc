import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import {
  DataFolderInUseError,
  type EmbeddedPostgres,
  EmbeddedPostgresError,
  openEmbeddedPostgres,
} from '../../src/platform/database/embedded/open.js';
import { until } from '../support/until.js';

const BUILT = pathToFileURL(path.resolve('dist/src/platform/database/embedded/open.js')).href;

const OWNER = `
  const { openEmbeddedPostgres } = await import(process.env.BUILT);
  const { url } = await openEmbeddedPostgres({ dataDir: process.env.DATA_DIR, role: 'app' });
  console.log(url);
`;

describe('the embedded PostgreSQL', () => {
  let dataDir: string;
  let opened: EmbeddedPostgres[];
  let children: ChildProcess[];

  beforeEach(async () => {
    dataDir = await mkdtemp(path.join(os.tmpdir(), 'parley embedded '));
    opened = [];
    children = [];
  });

  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(opened.map((server) => server.release()));
    const left = await serverPid();
    if (left !== undefined && isAlive(left)) process.kill(left, 'SIGQUIT');
    for (const end = Date.now() + 5_000; left !== undefined && isAlive(left) && Date.now() < end;) await sleep(50);
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });

  it('keeps what was written over a stop, and its address', async () => {
    const before = await open('app');
    await query(before.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await before.release();

    const after = await open('app');
    expect(await query(after.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(after.url).toBe(before.url);
  });

  it('is taken over, still running, after its owner was killed', async () => {
    const { child, url } = await openInChild();
    await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const pid = await serverPid();
    await kill(child);

    const { url: urlAfter } = await open('app');
    expect(await query(urlAfter, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(await serverPid()).toBe(pid);
  });

  it('recovers after it was killed together with its owner', async () => {
    const { child, url } = await openInChild();
    await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    process.kill((await serverPid())!, 'SIGKILL');
    await kill(child);

    const { url: urlAfter } = await open('app');
    expect(await query(urlAfter, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('starts over a stale lock file whose process id now belongs to a stranger, and spares the stranger', async () => {
    await (await open('app')).release();
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    children.push(stranger);
    await writeLock(`${stranger.pid}\n${dataDir}/postgres\n1700000000\n5432\n\n127.0.0.1\n`);

    const { url } = await open('app');
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
  });

  it('starts over a lock file with nothing in it', async () => {
    await (await open('app')).release();
    await writeLock('');

    const { url } = await open('app');
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('goes to one of two apps that open an empty folder at once', async () => {
    const results = await Promise.allSettled([open('app'), open('app')]);
    const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    expect(refusals).toEqual([expect.any(DataFolderInUseError)]);
    expect(await query(opened[0]!.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('names the app that a second one runs into', async () => {
    const { child } = await openInChild();
    await expect(open('app')).rejects.toThrow(`process ${child.pid}`);
  });

  it('is stopped by the last one to leave, app or command', async () => {
    const app = await open('app');
    const command = await open('command');
    const pid = (await serverPid())!;

    await app.release();
    expect(isAlive(pid)).toBe(true);
    expect(await query(command.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);

    await command.release();
    // It has ended; its parent may have yet to take note.
    await until(() => Promise.resolve(!isAlive(pid)));
  });

  it('comes back under an app whose server crashed', async () => {
    const { url } = await open('app');
    process.kill((await serverPid())!, 'SIGKILL');

    const end = Date.now() + 10_000;
    while (Date.now() < end && !(await query(url, 'SELECT 1').catch(() => undefined))) await sleep(50);
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('refuses a cluster of another major version and names both', async () => {
    await (await open('app')).release();
    await writeFile(path.join(dataDir, 'postgres', 'PG_VERSION'), '12\n');

    const refusal = open('app');
    await expect(refusal).rejects.toThrow(EmbeddedPostgresError);
    await expect(refusal).rejects.toThrow(/PostgreSQL 12 .* PostgreSQL 18/);
  });

  it('lets nobody but its owner read the password', async () => {
    await open('command');
    expect((await stat(path.join(dataDir, 'postgres.password'))).mode & 0o777).toBe(0o600);
  });

  async function open(role: 'app' | 'command'): Promise<EmbeddedPostgres> {
    const server = await openEmbeddedPostgres({ dataDir, role, durable: false });
    opened.push(server);
    return server;
  }

  async function openInChild(): Promise<{ child: ChildProcess; url: string }> {
    await access(new URL(BUILT));
    const child = spawn(process.execPath, ['--input-type=module', '-e', OWNER], {
      env: { ...process.env, NODE_OPTIONS: '', BUILT, DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const [url] = (await once(createInterface(child.stdout), 'line')) as [string];
    return { child, url };
  }

  async function serverPid(): Promise<number | undefined> {
    const lock = await readFile(path.join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').catch(() => '');
    return Number.parseInt(lock, 10) || undefined;
  }

  async function writeLock(content: string): Promise<void> {
    const lock = path.join(dataDir, 'postgres', 'postmaster.pid');
    const { uid, gid } = await stat(path.dirname(lock));
    await writeFile(lock, content);
    await chmod(lock, 0o600);
    await chown(lock, uid, gid);
  }
});

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
