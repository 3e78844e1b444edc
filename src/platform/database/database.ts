import { Injectable } from '@nestjs/common';
import type { Pool, QueryConfig, QueryResult, QueryResultRow } from 'pg';
import Cursor from 'pg-cursor';
import { DataSource } from 'typeorm';
import { DEADLOCK_TRIES, isDeadlock } from './deadlock.js';
import { withDescriptor } from './descriptors.js';

/**
 * For one statement by itself. A database that hangs, or a network that was cut without a word, must not keep callers
 * waiting: they get 503, and the connection is given up.
 */
const PATIENCE_MS = 10_000;

const names = new Map<string, string>();

/** Of a text that each connection is to keep the plan of. */
export function nameOf(text: string): string {
  const name = names.get(text) ?? `parley_${names.size}`;
  names.set(text, name);
  return name;
}

/**
 * The array that stands at `$n` of a prepared statement. Its length is hidden in a sub-select: to PostgreSQL a short one
 * looks so much cheaper than one that it knows nothing of that it would plan the statement anew for each call, which
 * takes longer than the reading.
 */
export function arrayAt(n: number, type = 'uuid'): string {
  return `((SELECT $${n}::${type}[])::${type}[])`;
}

/**
 * One statement, committed by itself, and run again where a deadlock ends it. What takes several statements to be true goes
 * through UnitOfWork.
 */
@Injectable()
export class Database {
  private readonly pool: Pool;

  constructor(dataSource: DataSource) {
    this.pool = (dataSource.driver as unknown as { master: Pool }).master;
  }

  async query<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.run<Row>({ text: sql, values })).rows;
  }

  /** Connections of this node's pool, and callers that wait for one. */
  get poolUse(): { busy: number; idle: number; waiting: number } {
    const { totalCount, idleCount, waitingCount } = this.pool;
    return { busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
  }

  /** For a library that wants the whole result of node-postgres. */
  result(statement: QueryConfig): Promise<QueryResult> {
    return this.run(statement);
  }

  /**
   * Reads rows batch by batch with a server-side cursor, so that memory stays flat however many there are. It holds a
   * connection of the pool while it is read: bound how many run at once.
   */
  async *stream<Row extends QueryResultRow>(sql: string, values: unknown[], batch = 200): AsyncGenerator<Row[]> {
    const client = await withDescriptor(() => this.pool.connect());
    const cursor = client.query(new Cursor<Row>(sql, values));
    let clean = false;
    try {
      for (let rows = await cursor.read(batch); rows.length > 0; rows = await cursor.read(batch)) yield rows;
      await cursor.close();
      clean = true;
    } finally {
      // A reader that leaves early leaves the cursor open: the connection goes with it.
      client.release(!clean);
    }
  }

  /**
   * The same for what runs thousands of times a second: each connection plans it once. Only for texts that are
   * constants of the program, since each one stays with every connection. Arrays stand in them as `arrayAt`, and a limit
   * that is a value around one that is said: else they are planned anew for each call after all.
   */
  async prepared<Row extends QueryResultRow>(text: string, values: unknown[]): Promise<Row[]> {
    return (await this.run<Row>({ name: nameOf(text), text, values })).rows;
  }

  /** The same for who judges anew what may have changed while a deadlock was waited for: it throws that. */
  async preparedOnce<Row extends QueryResultRow>(text: string, values: unknown[]): Promise<Row[]> {
    return (await this.runOnce<Row>({ name: nameOf(text), text, values })).rows;
  }

  async one<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row | undefined> {
    return (await this.query<Row>(sql, values))[0];
  }

  private async run<Row extends QueryResultRow>(statement: QueryConfig): Promise<QueryResult<Row>> {
    for (let left = DEADLOCK_TRIES; ; left -= 1) {
      try {
        return await this.runOnce<Row>(statement);
      } catch (error) {
        if (left === 1 || !isDeadlock(error)) throw error;
      }
    }
  }

  private runOnce<Row extends QueryResultRow>(statement: QueryConfig): Promise<QueryResult<Row>> {
    return withDescriptor(() => this.pool.query<Row>(patiently(statement)));
  }
}

/** node-postgres reads the option of each statement; its types know only that of the connection. */
function patiently(statement: QueryConfig): QueryConfig {
  return Object.assign(statement, { query_timeout: PATIENCE_MS });
}
