import { execFile } from 'node:child_process';
import { lchown, readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Binaries } from './binaries.js';
import { hasCode } from '../../error-code.js';
import { EmbeddedPostgresError } from './errors.js';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface Command {
  readonly command: string;
  readonly args: string[];
  readonly identity: Partial<Account>;
}

/** Turns a program of PostgreSQL into the command that runs it under the right account. */
export type Launcher = (program: string, args: string[]) => Command;

export const asMyself: Launcher = (command, args) => ({ command, args, identity: {} });

/** PostgreSQL refuses to run as root: gives the account that it gets instead, none if this process is not root. */
export async function accountInsteadOfRoot(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const user = users.find(([name]) => name === wanted);
    if (user && Number(user[2]) > 0) return { uid: Number(user[2]), gid: Number(user[3]) };
  }
  throw cannotLeaveRoot('there is neither a user "postgres" nor a user "nobody"');
}

/**
 * Gives the account to run an existing cluster under: its owner, for PostgreSQL insists on that. One that root owns
 * (say, from a backup) is handed over. Throws EmbeddedPostgresError where it belongs to somebody else than a plain user.
 */
export async function accountOfCluster(clusterDir: string): Promise<Account | undefined> {
  if (!process.getuid) return undefined;
  const { uid, gid } = await stat(clusterDir);
  const instead = await accountInsteadOfRoot();
  if (!instead) {
    if (uid === process.getuid()) return undefined;
    throw new EmbeddedPostgresError(
      `${clusterDir} belongs to user id ${uid} and this process runs as ${process.getuid()}. ` +
        `Run it as its owner or as root, or hand it over with \`chown -R ${process.getuid()}\`.`,
    );
  }
  if (uid !== 0) return { uid, gid };
  await handOver(clusterDir, instead);
  return instead;
}

/** Its own owner changes last: a hand-over that is cut short starts again. */
async function handOver(dir: string, account: Account): Promise<void> {
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const child = path.join(dir, entry.name);
    if (entry.isDirectory()) await handOver(child, account);
    else await giveTo(account, child);
  }
  await giveTo(account, dir);
}

/** Throws EmbeddedPostgresError where root may not do that (a container without the capability). */
export async function giveTo({ uid, gid }: Account, file: string): Promise<void> {
  await lchown(file, uid, gid).catch((error: unknown) => {
    throw hasCode(error, 'EPERM') ? cannotLeaveRoot(`${file} cannot be given to user id ${uid}`) : error;
  });
}

/**
 * Finds a way to run PostgreSQL's programs under the account in `workDir`. A plain change of user fails where that user
 * cannot pass the folders above (a home of mode 0700); it then keeps the single capability that lets it through.
 * Throws EmbeddedPostgresError when no way works.
 */
export async function findLauncher(
  account: Account | undefined,
  binaries: Binaries,
  workDir: string,
): Promise<Launcher> {
  if (!account) return asMyself;
  const ways = [
    asUser(account),
    withCapability(account, 'dac_read_search'),
    // Docker grants this one and not the narrower one above.
    withCapability(account, 'dac_override'),
  ];
  for (const way of ways) if (await works(way, binaries, workDir)) return way;
  throw cannotLeaveRoot(`user id ${account.uid} cannot be given access to ${workDir} and ${binaries.postgres}`);
}

function asUser(account: Account): Launcher {
  return (command, args) => ({ command, args, identity: account });
}

function withCapability({ uid, gid }: Account, capability: string): Launcher {
  const flags = [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    // Without it access(2), which PostgreSQL asks about its own programs, ignores the capabilities of a plain user.
    '--securebits=+no_setuid_fixup',
    `--inh-caps=+${capability}`,
    `--ambient-caps=+${capability}`,
    `--bounding-set=-all,+${capability}`,
  ];
  return (program, args) => ({ command: 'setpriv', args: [...flags, program, ...args], identity: {} });
}

const PROBE = 'test -x "$1" && test -r "$1" && "$1" --version && test -r "$2" && cd "$3" && test -w .';

async function works(way: Launcher, binaries: Binaries, workDir: string): Promise<boolean> {
  const catalog = path.join(path.dirname(binaries.postgres), '..', 'share', 'postgresql', 'postgres.bki');
  const { command, args, identity } = way('/bin/sh', ['-c', PROBE, 'sh', binaries.postgres, catalog, workDir]);
  return promisify(execFile)(command, args, { ...identity, cwd: '/', timeout: 20_000, killSignal: 'SIGKILL' }).then(
    () => true,
    () => false,
  );
}

function cannotLeaveRoot(reason: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `PostgreSQL does not run as root, and ${reason}. Run this app as a normal user, ` +
      'or set DATABASE_URL to a PostgreSQL of your own.',
  );
}
