import Database from 'libsql';
import { copyFile, mkdtemp, open, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { SourceError } from './source.js';

const MAGIC = 'SQLite format 3\u0000';
const WAL_VERSION = 2;

export type SqliteRow = Record<string, unknown>;

/**
 * An SQLite file, open for reading. One in WAL mode is read from a copy, because reading it in place would write
 * beside it. Text comes as bytes and is decoded here: old files hold what is not UTF-8.
 */
export class SqliteFile {
  private readonly decoder = new TextDecoder('utf-8');

  private constructor(
    private readonly database: Database.Database,
    private readonly copy: string | undefined,
  ) {}

  /** Throws SourceError for what is missing, no SQLite file, truncated or locked. */
  static async open(file: string): Promise<SqliteFile> {
    const copy = (await writesAhead(file)) ? await copied(file) : undefined;
    try {
      const database = new Database(copy ? path.join(copy, 'source.db') : file, { readonly: true });
      const opened = new SqliteFile(database, copy);
      opened.guarded(() => database.prepare('SELECT count(*) FROM sqlite_master').get());
      opened.mustBeWhole();
      return opened;
    } catch (error) {
      if (copy) await rm(copy, { recursive: true, force: true });
      throw asSourceError(error, file);
    }
  }

  columns(table: string): string[] {
    const rows = this.guarded(() => this.database.prepare(`SELECT name FROM pragma_table_info(?)`).all(table));
    return (rows as { name: string }[]).map(({ name }) => name);
  }

  tables(): string[] {
    const sql = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`;
    return (this.guarded(() => this.database.prepare(sql).all()) as { name: string }[]).map(({ name }) => name);
  }

  count(table: string): number {
    const row = this.guarded(() => this.database.prepare(`SELECT count(*) AS n FROM ${quoted(table)}`).get());
    return Number((row as { n: number }).n);
  }

  /** All rows of a table, one after the other; `order` is SQL. */
  *rows(table: string, order = 'rowid'): Generator<SqliteRow> {
    const columns = this.columns(table);
    const list = columns.map(
      (name) =>
        `CASE typeof(${quoted(name)}) WHEN 'text' THEN CAST(${quoted(name)} AS BLOB) ` + `ELSE ${quoted(name)} END`,
    );
    const sql = `SELECT ${list.join(', ')} FROM ${quoted(table)} ORDER BY ${order}`;
    try {
      for (const values of this.database.prepare(sql).raw().iterate() as Iterable<unknown[]>) {
        yield Object.fromEntries(columns.map((name, at) => [name, this.decoded(values[at])]));
      }
    } catch (error) {
      throw asSourceError(error, 'the source');
    }
  }

  async close(): Promise<void> {
    this.database.close();
    if (this.copy) await rm(this.copy, { recursive: true, force: true });
  }

  private decoded(value: unknown): unknown {
    return Buffer.isBuffer(value) || value instanceof Uint8Array ? this.decoder.decode(value) : value;
  }

  private mustBeWhole(): void {
    const rows = this.guarded(() => this.database.prepare('PRAGMA quick_check(1)').all()) as { quick_check: string }[];
    if (rows[0]?.quick_check !== 'ok') throw new Error('database disk image is malformed');
  }

  private guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw asSourceError(error, 'the source');
    }
  }
}

async function writesAhead(file: string): Promise<boolean> {
  const handle = await open(file).catch(() => {
    throw new SourceError(`${file} cannot be read: is the path right?`);
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(100), 0, 100, 0);
    if (bytesRead < 100 || buffer.toString('latin1', 0, 16) !== MAGIC) {
      throw new SourceError(`${file} is no SQLite database.`);
    }
    return buffer[18] === WAL_VERSION || buffer[19] === WAL_VERSION;
  } finally {
    await handle.close();
  }
}

async function copied(file: string): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'parley-legacy-'));
  await copyFile(file, path.join(folder, 'source.db'));
  const log = await stat(`${file}-wal`).catch(() => undefined);
  if (log) await copyFile(`${file}-wal`, path.join(folder, 'source.db-wal'));
  return folder;
}

function asSourceError(error: unknown, file: string): unknown {
  if (error instanceof SourceError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (/locked|busy/i.test(message)) return new SourceError(`${file} is locked: stop the program that writes to it.`);
  if (/malformed|not a database|corrupt|disk I\/O/i.test(message)) {
    return new SourceError(`${file} is damaged or truncated (${message}).`);
  }
  return error;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
