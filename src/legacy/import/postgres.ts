import pg from 'pg';
import Cursor from 'pg-cursor';
import type { RawRow } from './row.js';
import { SourceError } from './source.js';

const CHUNK = 2_000;
/** `timestamp` and `date`. */
const WITHOUT_ZONE = [1114, 1082];

/** A PostgreSQL database, open for reading: one snapshot, through a cursor. */
export class PostgresSource {
  private constructor(
    private readonly client: pg.Client,
    /** Without the name and password of who reads. */
    readonly location: string,
  ) {}

  /** Throws SourceError where it cannot be reached. */
  static async open(url: string): Promise<PostgresSource> {
    if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
      throw new SourceError('Give a postgres:// URL as the source.');
    }
    const { host, pathname } = new URL(url);
    const client = new pg.Client({
      connectionString: url,
      types: { getTypeParser: parserOf },
      connectionTimeoutMillis: 10_000,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      return new PostgresSource(client, `postgres://${host}${pathname}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      const reasons = error instanceof AggregateError ? error.errors : [error];
      throw new SourceError(`The source cannot be opened: ${(reasons[0] as Error).message || 'no answer'}.`);
    }
  }

  async tables(): Promise<string[]> {
    const { rows } = await this.client.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables
       WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY 1`,
    );
    return rows.map(({ name }) => name);
  }

  async count(table: string): Promise<number> {
    const { rows } = await this.client.query<{ n: string }>(`SELECT count(*) AS n FROM ${pg.escapeIdentifier(table)}`);
    return Number(rows[0]?.n);
  }

  /** How many rows each table has that is not among these. */
  async othersThan(tables: readonly string[]): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const name of await this.tables()) if (!tables.includes(name)) counts[name] = await this.count(name);
    return counts;
  }

  /** All rows of a table, by the first of these columns that it has, and then by its key. */
  async *rows(table: string, ...order: string[]): AsyncGenerator<RawRow> {
    const { rows: columns } = await this.client.query<{ name: string }>(
      `SELECT column_name AS name FROM information_schema.columns
       WHERE table_schema = current_schema() AND table_name = $1 AND column_name = ANY ($2)
       ORDER BY array_position($2, column_name::text)`,
      [table, order],
    );
    const by = [...columns.map(({ name }) => pg.escapeIdentifier(name)), 'ctid'].join(', ');
    const cursor = this.client.query(new Cursor<RawRow>(`SELECT * FROM ${pg.escapeIdentifier(table)} ORDER BY ${by}`));
    try {
      for (let rows = await cursor.read(CHUNK); rows.length > 0; rows = await cursor.read(CHUNK)) yield* rows;
    } finally {
      await cursor.close();
    }
  }

  close(): Promise<void> {
    return this.client.end();
  }
}

/** A time without a zone stays text, which is then taken as UTC; the driver would take it as local. */
function parserOf(oid: number, format?: 'text' | 'binary') {
  if (WITHOUT_ZONE.includes(oid)) return (value: string) => value;
  return pg.types.getTypeParser(oid, format) as (value: string) => unknown;
}
