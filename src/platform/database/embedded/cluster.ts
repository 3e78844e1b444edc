import { mkdir, readFile, readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { keptSecret } from '../../config/secrets.js';
import { type Account, accountOfCluster } from './account.js';
import { type Binaries, findBinaries } from './binaries.js';
import { hasCode } from '../../error-code.js';
import { EmbeddedPostgresError } from './errors.js';
import { createCluster, removeDeadAttempts } from './create-cluster.js';
import { ServerLog } from './server-log.js';

export interface ClusterOptions {
  readonly dataDir: string;
  readonly log?: (line: string) => void;
  readonly durable?: boolean;
}

/** The files of one server, and all that it takes to run it. */
export interface Cluster {
  readonly dataDir: string;
  /** A real path, to be compared with what the system says of a process. */
  readonly dir: string;
  readonly binaries: Binaries;
  readonly account: Account | undefined;
  readonly password: string;
  readonly passwordFile: string;
  readonly serverLog: ServerLog;
  readonly durable: boolean;
  readonly say: (line: string) => void;
}

const PASSWORD_FILE = 'postgres.password';

/** Gives the cluster of this data folder, made where there is none. Throws EmbeddedPostgresError for an unusable one. */
export async function prepareCluster({ dataDir, log, durable = true }: ClusterOptions): Promise<Cluster> {
  await mkdir(dataDir, { recursive: true });
  const home = await realpath(dataDir);
  const dir = path.join(home, 'postgres');
  const passwordFile = path.join(home, PASSWORD_FILE);
  const say = log ?? (() => undefined);
  const binaries = await findBinaries();

  await removeDeadAttempts(home);
  if (await isMissing(dir)) {
    say(`Making a database cluster in ${dir}`);
    await createCluster({ dir, binaries, durable, password: keptSecret(home, PASSWORD_FILE) });
  }
  await refuseOtherVersion(dir, binaries);
  return {
    dataDir,
    dir,
    binaries,
    account: await accountOfCluster(dir),
    password: await readPassword(passwordFile, dir),
    passwordFile,
    serverLog: new ServerLog(path.join(home, 'postgres.log')),
    durable,
    say,
  };
}

async function isMissing(dir: string): Promise<boolean> {
  const content = await readdir(dir).catch((error: unknown): string[] => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  if (content.length === 0 || content.includes('PG_VERSION')) return content.length === 0;
  throw new EmbeddedPostgresError(`${dir} holds something else than a PostgreSQL cluster. Move it out of the way.`);
}

async function refuseOtherVersion(dir: string, binaries: Binaries): Promise<void> {
  const made = (await readFile(path.join(dir, 'PG_VERSION'), 'utf8')).trim();
  const mine = binaries.version.split('.')[0];
  if (made === mine) return;
  throw new EmbeddedPostgresError(
    `${dir} was made by PostgreSQL ${made} and this is PostgreSQL ${mine}, which cannot read it. Go back to the release ` +
      'that made it and take a dump (pg_dump), move the folder away, start this release and restore the dump.',
  );
}

async function readPassword(file: string, dir: string): Promise<string> {
  const password = await readFile(file, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  });
  if (password.trim() !== '') return password.trim();
  throw new EmbeddedPostgresError(
    `${file} is missing, and ${dir} does not open without it. Put it back from a backup.`,
  );
}
