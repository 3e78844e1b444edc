import { Injectable } from '@nestjs/common';
import type { Pool, QueryResultRow } from 'pg';
import { DataSource } from 'typeorm';

const names = new Map<string, string>();

function nameOf(text: string): string {
  const name = names.get(text) ?? `parley_${names.size}`;
  names.set(text, name);
  return name;
}

/** One statement, committed by itself. What takes several statements to be true goes through UnitOfWork. */
@Injectable()
export class Database {
  private readonly pool: Pool;

  constructor(dataSource: DataSource) {
    this.pool = (dataSource.driver as unknown as { master: Pool }).master;
  }

  async query<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.pool.query<Row>(sql, values)).rows;
  }

  /**
   * The same for what runs thousands of times a second: each connection plans it once. Only for texts that are
   * constants of the program, since each one stays with every connection.
   */
  async prepared<Row extends QueryResultRow>(text: string, values: unknown[]): Promise<Row[]> {
    return (await this.pool.query<Row>({ name: nameOf(text), text, values })).rows;
  }

  async one<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row | undefined> {
    return (await this.query<Row>(sql, values))[0];
  }
}
