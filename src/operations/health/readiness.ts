import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { DataSource } from 'typeorm';
import { Config } from '../../platform/config/config.js';
import { Database } from '../../platform/database/database.js';
import { RedisLink } from '../../platform/nodes/redis-link.js';
import { freeBytes } from './disk.js';

const PATIENCE_MS = 2_000;
/** With less than this left, uploads and the embedded database are about to be refused their writes. */
const LOW_DISK_BYTES = 256 * 1024 * 1024;

/**
 * Whether this node can do its work. `down` takes it out of the balance; what only makes it worse is `degraded`: with
 * the disk full or Redis gone, reading and most of the rest still work, and every node would be out at once.
 */
@Injectable()
export class Readiness {
  private asking: Promise<Set<string>> | undefined;

  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly database: Database,
    private readonly dataSource: DataSource,
    private readonly config: Config,
    private readonly redis: RedisLink,
  ) {}

  /** All checks, side by side. */
  get checks(): (() => PromiseLike<HealthIndicatorResult>)[] {
    return [() => this.answers(), () => this.isMigrated(), () => this.hasRoom(), () => this.hearsOthers()];
  }

  private answers(): PromiseLike<HealthIndicatorResult> {
    return this.indicators
      .check('database')
      .attempt(async () => void (await this.applied()))
      .withTimeout(PATIENCE_MS);
  }

  private isMigrated(): PromiseLike<HealthIndicatorResult> {
    return this.indicators
      .check('migrations')
      .attempt(async () => {
        const applied = await this.applied();
        const waiting = this.dataSource.migrations.filter(({ name }) => name !== undefined && !applied.has(name));
        if (waiting.length > 0) throw new Error(`${waiting.length} migrations are waiting`);
      })
      .withTimeout(PATIENCE_MS);
  }

  private async hasRoom(): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check('disk');
    const free = await freeBytes(this.config.dataDir);
    return free !== undefined && free < LOW_DISK_BYTES ? indicator.degraded() : indicator.up();
  }

  private hearsOthers(): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check('redis');
    return Promise.resolve(this.redis.isWanted && !this.redis.isHealthy ? indicator.degraded() : indicator.up());
  }

  /** One question at a time: while the database hangs, each probe would take another connection of the pool. */
  private applied(): Promise<Set<string>> {
    this.asking ??= this.database
      .query<{ name: string }>('SELECT name FROM migrations')
      .then((rows) => new Set(rows.map(({ name }) => name)))
      .finally(() => (this.asking = undefined));
    return this.asking;
  }
}
