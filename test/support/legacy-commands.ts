import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { type CommandResult, runCommand } from './run-app.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

export const LEGACY = 'dist/src/operations/cli/legacy.js';
export const MIGRATIONS = 'dist/src/operations/cli/migrations.js';

interface Reject {
  table: string;
  reason: string;
  row: Record<string, unknown>;
}

/** A database of its own, a folder for old stores, and the commands that carry one into the other. */
export class LegacyHouse {
  private constructor(
    readonly database: TestDatabase,
    readonly client: pg.Client,
    readonly home: string,
  ) {}

  /** Where the old stores lie, and nothing else. */
  get folder(): string {
    return path.join(this.home, 'stores');
  }

  static async open(): Promise<LegacyHouse> {
    const database = await createTestDatabase();
    const client = new pg.Client({ connectionString: database.url });
    client.on('error', () => undefined);
    await client.connect();
    const home = await mkdtemp(path.join(os.tmpdir(), 'parley-test-legacy-'));
    await mkdir(path.join(home, 'stores'));
    return new LegacyHouse(database, client, home);
  }

  async close(): Promise<void> {
    await this.client.end();
    await this.database.drop();
    await rm(this.home, { recursive: true });
  }

  async empty(): Promise<void> {
    await this.client.query(`TRUNCATE imports, users, conversations, servers CASCADE`);
    await this.client.query(`DELETE FROM agents WHERE slug <> 'echo'`);
  }

  path(name: string): string {
    return path.join(this.folder, name);
  }

  private get rejectsFile(): string {
    return path.join(this.home, 'rejects.ndjson');
  }

  legacy(...args: string[]): Promise<CommandResult> {
    return runCommand([LEGACY, ...args], { DATABASE_URL: this.database.url });
  }

  migrations(command: string, env: Record<string, string> = {}): Promise<CommandResult> {
    return runCommand([MIGRATIONS, command], { DATABASE_URL: this.database.url, ...env });
  }

  carry(from: string, source: string, ...more: string[]): Promise<CommandResult> {
    return this.legacy('import', '--from', from, '--source', source, '--rejects', this.rejectsFile, ...more);
  }

  /** Carries and gives the id of the import; throws unless it ends with `code`. */
  async carried(from: string, source: string, ...more: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.carry(from, source, ...more);
    const [, id] = /^Import (\S+)$/m.exec(stdout) ?? [];
    if (!id) throw new Error(`not carried (${code}): ${stdout}${stderr}`);
    return id;
  }

  async rejects(): Promise<Reject[]> {
    const text = await readFile(this.rejectsFile, 'utf8');
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Reject);
  }

  async rows<T extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<T[]> {
    return (await this.client.query<T>(sql, values)).rows;
  }

  /** All rows of all tables but the migrations and what nodes tell each other, less these fields: what a revert restores. */
  async dump(...without: string[]): Promise<Record<string, unknown[]>> {
    const tables = await this.rows<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables
       WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
         AND table_name NOT IN ('migrations', 'account_notices', 'rate_limits') ORDER BY 1`,
    );
    const content: Record<string, unknown[]> = {};
    for (const { name } of tables) {
      const rows = await this.rows<{ row: string }>(
        `SELECT (to_jsonb(t) - $1::text[])::text AS row FROM "${name}" t ORDER BY 1`,
        [without],
      );
      content[name] = rows.map(({ row }) => row);
    }
    return content;
  }
}
