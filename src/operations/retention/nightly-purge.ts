import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { onOneNode } from '../../platform/database/on-one-node.js';
import { Purge, type Purged } from './purge.js';

/** Any number of our own choice: the node that purges, or the command that does, holds this advisory lock. */
const PURGE_LOCK = 7_275_939_002;
const HOUR_UTC = 3;
const DAY_MS = 86_400_000;

/** Purges every night, on whichever node is first to it. */
@Injectable()
export class NightlyPurge implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(NightlyPurge.name);
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly purge: Purge,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setTimeout(() => void this.night(), untilNight(new Date())).unref();
  }

  onApplicationShutdown(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** Gives what went, or nothing where another node, or a command, does it already. */
  async run(): Promise<Purged | undefined> {
    let purged: Purged | undefined;
    await onOneNode(this.dataSource, PURGE_LOCK, async () => {
      purged = await this.purge.run();
    });
    return purged;
  }

  private async night(): Promise<void> {
    try {
      const purged = await this.run();
      if (purged) this.logger.log(purged, 'purged what has been kept long enough');
    } catch (error) {
      this.logger.error({ err: error as Error }, 'the purge stopped; the next one goes on from there');
    }
    if (!this.stopped) this.onApplicationBootstrap();
  }
}

/** Milliseconds until the next three o'clock UTC. */
export function untilNight(now: Date): number {
  const today = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate(), HOUR_UTC);
  return (today > now.getTime() ? today : today + DAY_MS) - now.getTime();
}
