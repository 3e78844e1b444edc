import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { ASK_EARLY, giveUpEarly } from './dead-peers.js';

/** Any number of our own: the first key of the advisory locks that nodes hold. */
const NODES = 7_275_940;
const RETRY_MS = 1_000;
const CONNECT_MS = 5_000;

/** SQL for: the node of this number is there. */
export const nodeLives = (node: string): string => `EXISTS (
  SELECT 1 FROM pg_locks held
  WHERE held.locktype = 'advisory' AND held.classid = ${NODES} AND held.objid = (${node})::oid AND held.objsubid = 2
    AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database()))`;

/**
 * Tells the other nodes that this one is there: an advisory lock on a connection of its own, which PostgreSQL takes back
 * in the moment the process ends, however it ends.
 */
@Injectable()
export class NodeLock implements OnModuleInit, OnApplicationShutdown {
  /** This node's number, another one at each start. */
  readonly node = randomInt(1, 2 ** 31 - 1);
  private readonly logger = new Logger(NodeLock.name);
  private client: pg.Client | undefined;
  private stopped = false;

  constructor(private readonly dataSource: DataSource) {}

  async onModuleInit(): Promise<void> {
    await this.take();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    await this.client?.end();
  }

  private async take(): Promise<void> {
    const { url } = this.dataSource.options as { url?: string };
    const settings = { ...ASK_EARLY, connectionTimeoutMillis: CONNECT_MS };
    const client = new pg.Client({ connectionString: url, application_name: 'parley', ...settings });
    client.on('error', () => undefined);
    client.on('end', () => void this.takeAgain(client));
    await client.connect();
    await giveUpEarly(client);
    await client.query('SELECT pg_advisory_lock($1, $2)', [NODES, this.node]);
    this.client = client;
  }

  /** Without the lock others may take over what this node does: that costs work, and nothing else. */
  private async takeAgain(lost: pg.Client): Promise<void> {
    if (lost !== this.client) return;
    this.client = undefined;
    while (!this.stopped && !this.client) {
      await sleep(RETRY_MS);
      await this.take().catch((error: unknown) => this.logger.warn({ err: error as Error }, 'no lock for this node'));
    }
  }
}
