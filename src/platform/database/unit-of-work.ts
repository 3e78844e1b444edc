import { Injectable, Logger } from '@nestjs/common';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { PoolClient, QueryResultRow } from 'pg';
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { EventBus } from '../events/event-bus.js';
import type { DomainEvent, Topic } from '../events/event.js';
import { nameOf } from './database.js';
import { DEADLOCK_TRIES, isDeadlock } from './deadlock.js';
import { withDescriptor } from './descriptors.js';
import { isOutcomeUnknown, OutcomeUnknown } from './outcome.events.js';

/** For each statement of a transaction, and for one that deletes: a million short messages take 44 s in memory. */
const PATIENCE_MS = 60_000;
const DELETION_PATIENCE_MS = 30 * 60_000;

/** What of node-postgres's connection its types do not show. */
interface Connection extends PoolClient {
  connectionParameters: { query_timeout: number | false };
}

/** What may be done inside one transaction. It is of no use once its unit of work has ended. */
export class Tx {
  private readonly events: DomainEvent[] = [];
  private hasGivenConnection = false;

  constructor(private readonly runner: QueryRunner) {}

  /** Not where the connection was given away: what is read for a COPY is gone then. */
  get mayRunAgain(): boolean {
    return !this.hasGivenConnection;
  }

  get manager(): EntityManager {
    this.mustBeOpen();
    return this.runner.manager;
  }

  async query<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    this.mustBeOpen();
    const { records } = await this.runner.query(sql, values, true);
    return records as Row[];
  }

  async one<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row | undefined> {
    return (await this.query<Row>(sql, values))[0];
  }

  /** A statement that deletes what may be millions of rows, and may take its time. */
  async delete(sql: string, values: unknown[]): Promise<void> {
    this.mustBeOpen();
    const { connectionParameters } = (await this.runner.connect()) as Connection;
    const patience = connectionParameters.query_timeout;
    connectionParameters.query_timeout = DELETION_PATIENCE_MS;
    await this.query(sql, values).finally(() => (connectionParameters.query_timeout = patience));
  }

  /** Planned once by each connection, as Database.prepared; only for texts that are constants of the program. */
  async prepared<Row extends QueryResultRow>(text: string, values: unknown[]): Promise<Row[]> {
    this.mustBeOpen();
    const connection = (await this.runner.connect()) as Connection;
    return (await connection.query<Row>({ name: nameOf(text), text, values })).rows;
  }

  /** The connection itself, for what only node-postgres can do with it, such as COPY: from then on without a limit of time. */
  async connection(): Promise<PoolClient> {
    this.mustBeOpen();
    this.hasGivenConnection = true;
    const connection = (await this.runner.connect()) as Connection;
    connection.connectionParameters.query_timeout = false;
    return connection;
  }

  /** Keeps the event until the commit has returned; a transaction that is rolled back announces nothing. */
  announce(event: DomainEvent): void {
    this.mustBeOpen();
    this.events.push(event);
  }

  get announced(): readonly DomainEvent[] {
    return [...this.events];
  }

  /** The events, once, for the unit of work that has just committed. */
  drain(): DomainEvent[] {
    return this.events.splice(0);
  }

  private mustBeOpen(): void {
    if (!this.runner.isTransactionActive) throw new Error('This transaction has ended: its handle must not be kept.');
  }
}

/** The only place that opens or closes a transaction. */
@Injectable()
export class UnitOfWork {
  private readonly logger = new Logger(UnitOfWork.name);
  private readonly running = new AsyncLocalStorage<true>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly bus: EventBus,
  ) {}

  /**
   * Runs `work` in one transaction (READ COMMITTED) and publishes what it announced after the commit. Throws what
   * `work` throws, rolled back. A nested one is refused: its events could only be right if it had its own commit.
   * Where a deadlock ends it, `work` is run anew: it may do nothing that the rollback does not take back.
   */
  async run<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    if (this.running.getStore()) throw new Error('A unit of work runs already: pass its Tx on, do not nest another.');
    for (let left = DEADLOCK_TRIES; ; left -= 1) {
      const outcome = await this.attempt(work);
      if ('result' in outcome) return outcome.result;
      if (left === 1) throw outcome.entangled;
      this.logger.warn({ err: outcome.entangled }, 'a transaction is run again that a deadlock has ended');
    }
  }

  private async attempt<T>(work: (tx: Tx) => Promise<T>): Promise<{ result: T } | { entangled: Error }> {
    const { runner, connection } = await withDescriptor(() => this.connect());
    const tx = new Tx(runner);
    try {
      connection.connectionParameters.query_timeout = PATIENCE_MS;
      await runner.startTransaction();
      const result = await this.running.run(true, () => work(tx));
      await this.commit(runner, tx);
      this.publish(tx.drain());
      return { result };
    } catch (error) {
      if (isTimeout(error)) await cut(connection);
      else if (runner.isTransactionActive) await rollBack(runner);
      if (isDeadlock(error) && tx.mayRunAgain) return { entangled: error as Error };
      throw error;
    } finally {
      connection.connectionParameters.query_timeout = false;
      await runner.release();
    }
  }

  private async connect(): Promise<{ runner: QueryRunner; connection: Connection }> {
    const runner = this.dataSource.createQueryRunner();
    return { runner, connection: (await runner.connect()) as Connection };
  }

  /** A commit without an answer may have happened: what it would have announced is looked for in the database. */
  private async commit(runner: QueryRunner, tx: Tx): Promise<void> {
    const events = tx.announced;
    try {
      await runner.commitTransaction();
    } catch (error) {
      if (isOutcomeUnknown(error)) this.bus.publish(OutcomeUnknown([], whatIsDoubtful(events)));
      throw error;
    }
  }

  private publish(events: DomainEvent[]): void {
    for (const event of events) this.bus.publish(event);
  }
}

/**
 * Changes of rooms are found by their `rev`, and their end by looking for them; of all else those who would have heard it
 * are looked after.
 */
function whatIsDoubtful(events: readonly DomainEvent[]): { rooms: string[]; people: Topic[] } {
  const roomOf = ({ data }: DomainEvent) => (data as { conversationId?: string }).conversationId;
  const rooms = events.flatMap((event) => roomOf(event) ?? []);
  const people = events.filter((event) => roomOf(event) === undefined).flatMap(({ audience }) => audience);
  return { rooms: [...new Set(rooms)], people: [...new Set(people)] };
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && /query read timeout/i.test(error.message);
}

/** Nobody knows how far the database got, and what it still does must not meet the next user: the connection goes. */
async function cut(connection: Connection): Promise<void> {
  const { stream } = connection.connection;
  if (stream.destroyed) return;
  const gone = new Promise((resolve) => connection.once('end', resolve));
  stream.destroy();
  await gone;
}

/** A rollback that fails means the connection is gone, and the transaction with it: the first error is the one to tell. */
async function rollBack(runner: QueryRunner): Promise<void> {
  try {
    await runner.rollbackTransaction();
  } catch {
    return;
  }
}
