import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { BackupError } from './manifest.js';

const LARGEST_LIST_BYTES = 64 * 1024 * 1024;

/** PostgreSQL's own pg_dump and pg_restore, as they are installed on this machine. */
export class PostgresTools {
  private constructor(
    private readonly folder: string,
    private readonly environment: NodeJS.ProcessEnv,
    /** Such as `18.4`. */
    readonly version: string,
  ) {}

  /** Takes the folder they are in, or looks on PATH; gives none where there are none, or `folder` is `off`. */
  static async find(folder = '', environment: NodeJS.ProcessEnv): Promise<PostgresTools | undefined> {
    if (folder === 'off') return undefined;
    const version = async (program: string) => {
      const { stdout } = await promisify(execFile)(path.join(folder, program), ['--version'], { env: environment });
      return /(\d+(\.\d+)*)/.exec(stdout)?.[1];
    };
    try {
      const [dump, restore] = [await version('pg_dump'), await version('pg_restore')];
      return dump !== undefined && dump === restore ? new PostgresTools(folder, environment, dump) : undefined;
    } catch {
      return undefined;
    }
  }

  get major(): number {
    return Number.parseInt(this.version, 10);
  }

  /** Gives what the program prints. Throws BackupError with what it says where it fails. */
  async run(program: 'pg_dump' | 'pg_restore', args: string[], databaseUrl?: string): Promise<string> {
    const { address, password } = databaseUrl === undefined ? {} : withoutPassword(databaseUrl);
    const env = { ...this.environment, ...(password !== undefined && { PGPASSWORD: password }) };
    const all = address === undefined ? args : [`--dbname=${address}`, '--no-password', ...args];
    try {
      const options = { env, maxBuffer: LARGEST_LIST_BYTES };
      return (await promisify(execFile)(path.join(this.folder, program), all, options)).stdout;
    } catch (error) {
      const { stderr, message } = error as Error & { stderr?: string };
      throw new BackupError(`${program} failed: ${stderr?.trim() || message}`, { cause: error });
    }
  }
}

/** Everybody on the machine can read a command line, so the password goes another way. */
function withoutPassword(databaseUrl: string): { address: string; password: string | undefined } {
  const url = new URL(databaseUrl);
  const password = url.searchParams.get('password') ?? (url.password && decodeURIComponent(url.password));
  url.password = '';
  url.searchParams.delete('password');
  // Words of node-postgres alone.
  url.searchParams.delete('uselibpqcompat');
  if (url.searchParams.get('sslmode') === 'no-verify') url.searchParams.set('sslmode', 'require');
  return { address: url.href, password: password || undefined };
}
