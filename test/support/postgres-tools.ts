import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';

export interface InstalledPostgres {
  /** Of pg_dump, pg_restore, initdb and postgres, all of one version. */
  folder: string;
  major: number;
}

/** A PostgreSQL that is installed on this machine with its server and its tools; none where there is none. */
export function installedPostgres(): InstalledPostgres | undefined {
  const debian = [20, 19, 18, 17, 16, 15].map((major) => `/usr/lib/postgresql/${major}/bin`);
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), ...debian];
  const programs = ['pg_dump', 'pg_restore', 'initdb', 'postgres'];
  const folder = folders.find((each) => programs.every((program) => existsSync(path.join(each, program))));
  if (folder === undefined) return undefined;
  const version = execFileSync(path.join(folder, 'pg_dump'), ['--version'], { encoding: 'utf8' });
  const major = Number(/(\d+)/.exec(version)?.[1]);
  return major >= 15 ? { folder, major } : undefined;
}

export interface OwnServer {
  /** Makes an empty database and gives its address. */
  createDatabase(name: string): Promise<string>;
  stop(): Promise<void>;
}

/** Starts a server of it, for one test file. PostgreSQL refuses root, and then runs as `postgres` or `nobody`. */
export async function startOwnServer({ folder }: InstalledPostgres): Promise<OwnServer> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'parley-test-own-postgres-'));
  const identity = process.getuid?.() === 0 ? unprivileged() : {};
  if (identity.uid !== undefined && identity.gid !== undefined) await chown(home, identity.uid, identity.gid);
  const passwordFile = path.join(home, 'password');
  await writeFile(passwordFile, 'open/sesame @ home');
  await chmod(passwordFile, 0o644);
  const data = path.join(home, 'data');
  const quick = ['--no-sync', '--encoding', 'UTF8', '--locale', 'C.UTF-8', '--auth', 'scram-sha-256'];
  const made = ['--pgdata', data, '--username', 'parley', '--pwfile', passwordFile, ...quick];
  await promisify(execFile)(path.join(folder, 'initdb'), made, { ...identity, cwd: home });
  const port = await freePort();
  const settings = ['fsync=off', 'listen_addresses=127.0.0.1', 'unix_socket_directories='];
  const args = ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
  const server = spawn(path.join(folder, 'postgres'), args, { ...identity, cwd: home, stdio: 'ignore' });
  const ended = once(server, 'exit');
  const url = (name: string) =>
    `postgres://parley:${encodeURIComponent('open/sesame @ home')}@127.0.0.1:${port}/${name}`;
  const execute = async (sql: string) => {
    const client = new pg.Client({ connectionString: url('postgres') });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  for (let attempt = 1; ; attempt++) {
    try {
      await execute('SELECT 1');
      break;
    } catch (error) {
      if (attempt === 200) throw error;
      await sleep(50);
    }
  }
  return {
    createDatabase: async (name) => {
      await execute(`CREATE DATABASE ${name}`);
      return url(name);
    },
    stop: async () => {
      server.kill('SIGQUIT');
      await ended;
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function unprivileged(): { uid?: number; gid?: number } {
  const id = (flag: string, user: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  for (const user of ['postgres', 'nobody']) {
    try {
      return { uid: id('-u', user), gid: id('-g', user) };
    } catch {
      continue;
    }
  }
  return {};
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
