import Database from 'libsql';
import { isUtf8 } from 'node:buffer';
import { copyFile, mkdtemp, open, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { RawRow } from './row.js';
import { SourceError } from './source.js';
import { MendedText } from './values.js';

const MAGIC = 'SQLite format 3\u0000';
const HEADER_BYTES = 100;
const WAL_VERSION = 2;

/**
 * An SQLite file, open for reading. One with a log (WAL) or a half-done transaction beside it is read from a copy,
 * because SQLite would write beside it. Text comes as bytes and is decoded here: old files hold what is not UTF-8.
 */
export class SqliteFile {
  private readonly decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  private constructor(
    private readonly database: Database.Database,
    private readonly copy: string | undefined,
  ) {}

  /** Throws SourceError for what is missing, no SQLite file, truncated or locked. */
  static async open(file: string): Promise<SqliteFile> {
    const writesAhead = await checkHeader(file);
    try {
      if (!writesAhead) return new SqliteFile(opened(file, true), undefined);
    } catch (error) {
      if (isLocked(error) || !(await exists(`${file}-journal`))) throw asSourceError(error, file);
    }
    const copy = await copied(file);
    try {
      return new SqliteFile(opened(path.join(copy, 'source.db'), false), copy);
    } catch (error) {
      await rm(copy, { recursive: true, force: true });
      throw asSourceError(error, file);
    }
  }

  tables(): string[] {
    const sql = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`;
    return this.all<{ name: string }>(sql).map(({ name }) => name);
  }

  columns(table: string): string[] {
    return this.all<{ name: string }>(`SELECT name FROM pragma_table_info(?)`, table).map(({ name }) => name);
  }

  count(table: string): number {
    return Number(this.all<{ n: number }>(`SELECT count(*) AS n FROM ${quoted(table)}`)[0]?.n);
  }

  /** How many rows each table has that is not among these. */
  othersThan(tables: string[]): Record<string, number> {
    const others = this.tables().filter((name) => !tables.includes(name));
    return Object.fromEntries(others.map((name) => [name, this.count(name)]));
  }

  /** The rows of a table, one after the other; `order` and `where` are SQL. */
  *rows(table: string, order = 'rowid', where = 'true', ...values: unknown[]): Generator<RawRow> {
    const columns = this.columns(table);
    const sql = `SELECT ${columns.map(exact).join(', ')} FROM ${quoted(table)} WHERE ${where} ORDER BY ${order}`;
    try {
      for (const fields of this.database
        .prepare(sql)
        .raw()
        .iterate(...values) as Iterable<unknown[]>) {
        const row: RawRow = {};
        for (let at = 0; at < columns.length; at++) row[columns[at] as string] = this.decoded(fields[at]);
        yield row;
      }
    } catch (error) {
      throw asSourceError(error, 'The source');
    }
  }

  async close(): Promise<void> {
    this.database.close();
    if (this.copy) await rm(this.copy, { recursive: true, force: true });
  }

  private decoded(value: unknown): unknown {
    if (!(value instanceof Uint8Array)) return value;
    const text = this.decoder.decode(value);
    return isUtf8(value) ? text : new MendedText(text);
  }

  private all<T>(sql: string, ...values: unknown[]): T[] {
    try {
      return this.database.prepare(sql).all(...values) as T[];
    } catch (error) {
      throw asSourceError(error, 'The source');
    }
  }
}

/** Text as bytes, and whole numbers that JavaScript cannot hold as text. */
function exact(column: string): string {
  const name = quoted(column);
  return `CASE typeof(${name}) WHEN 'text' THEN CAST(${name} AS BLOB)
    WHEN 'integer' THEN iif(${name} BETWEEN -9007199254740991 AND 9007199254740991, ${name}, CAST(CAST(${name} AS TEXT) AS BLOB))
    ELSE ${name} END`;
}

function opened(file: string, readonly: boolean): Database.Database {
  const database = new Database(file, { readonly });
  try {
    const rows = database.prepare('PRAGMA quick_check(1)').all() as { quick_check: string }[];
    if (rows[0]?.quick_check !== 'ok') throw new Error(`malformed: ${rows[0]?.quick_check}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Says whether the file is in WAL mode. Throws SourceError where it is no SQLite file. */
async function checkHeader(file: string): Promise<boolean> {
  const handle = await open(file).catch(() => {
    throw new SourceError(`${file} cannot be read: is the path right?`);
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0).catch(() => {
      throw new SourceError(`${file} cannot be read: it is no file.`);
    });
    if (bytesRead < HEADER_BYTES || buffer.toString('latin1', 0, 16) !== MAGIC) {
      throw new SourceError(`${file} is no SQLite database.`);
    }
    return buffer[18] === WAL_VERSION || buffer[19] === WAL_VERSION;
  } finally {
    await handle.close();
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    ({ size }) => size > 0,
    () => false,
  );
}

async function copied(file: string): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'parley-legacy-'));
  for (const ending of ['', '-wal', '-journal']) {
    if (ending === '' || (await exists(file + ending))) {
      await copyFile(file + ending, path.join(folder, `source.db${ending}`));
    }
  }
  return folder;
}

function isLocked(error: unknown): boolean {
  return error instanceof Error && /locked|busy/i.test(error.message);
}

function asSourceError(error: unknown, file: string): unknown {
  if (error instanceof SourceError) return error;
  if (isLocked(error)) return new SourceError(`${file} is locked: stop the program that writes to it.`);
  const message = error instanceof Error ? error.message : String(error);
  return new SourceError(`${file} is damaged or truncated (${message}).`);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
