import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { Database } from '../database/database.js';
import { EventBus } from '../events/event-bus.js';
import { EventBridge } from './event-bridge.js';
import { HintsLost } from './nodes.events.js';
import { RedisLink } from './redis-link.js';

const BEAT_MS = 1_000;
/** A node that has not been seen for so long may have died between a commit and its announcement. */
const GONE_AFTER = '3 seconds';
const GOODBYE_MS = 2_000;

interface Neighbour {
  id: string;
  sent: number;
  gone: boolean;
}

/**
 * Each node writes down every second how many parcels of events it has sent, and compares what the others wrote a
 * second ago with what arrived. Whatever got lost, wherever Redis or the network failed, is noticed within two
 * seconds without asking a single conversation.
 */
@Injectable()
export class NodeRegistry implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(NodeRegistry.name);
  private known: Map<string, Neighbour> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
    private readonly bus: EventBus,
    private readonly bridge: EventBridge,
    private readonly link: RedisLink,
  ) {}

  /** The first look is before the first socket: what was sent until then is not for the sockets here. */
  async onApplicationBootstrap(): Promise<void> {
    if (!this.link.isWanted) return;
    await this.beat();
    this.again();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    if (!this.link.isWanted) return;
    // Without it the others would look for what a dead node left untold; a database that is away cannot be told.
    await this.sayGoodbye().catch(() => undefined);
  }

  /** Over a connection of its own: the pool is closed by now, so that nothing is committed any more that is not counted. */
  private async sayGoodbye(): Promise<void> {
    const { url } = this.dataSource.options as { url?: string };
    const limits = { connectionTimeoutMillis: GOODBYE_MS, query_timeout: GOODBYE_MS };
    const client = new pg.Client({ connectionString: url, application_name: 'parley', ...limits });
    client.on('error', () => undefined);
    await client.connect();
    try {
      await client.query(`UPDATE nodes SET sent = $2, ended = true, seen_at = clock_timestamp() WHERE id = $1`, [
        this.bridge.nodeId,
        this.bridge.sent,
      ]);
    } finally {
      await client.end();
    }
  }

  private again(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.beat().finally(() => this.again()), BEAT_MS).unref();
  }

  private async beat(): Promise<void> {
    try {
      const neighbours = await this.database.prepared<Neighbour>(
        `WITH here AS (
           INSERT INTO nodes (id, sent) VALUES ($1, $2)
           ON CONFLICT (id) DO UPDATE SET sent = excluded.sent, seen_at = clock_timestamp()
         )
         SELECT id, sent, NOT ended AND seen_at < clock_timestamp() - interval '${GONE_AFTER}' AS gone FROM nodes
         WHERE id <> $1`,
        [this.bridge.nodeId, this.bridge.sent],
      );
      if (this.compare(neighbours)) this.bus.hear(HintsLost([], {}));
    } catch (error) {
      this.logger.warn({ err: error as Error }, 'the other nodes could not be looked up');
    }
  }

  /**
   * True where something that a neighbour sent more than a beat ago has not come, or one is gone. Those that ended long
   * ago count too: this node may have been away for as long as that.
   */
  private compare(neighbours: Neighbour[]): boolean {
    const before = this.known;
    this.known = new Map(neighbours.map((neighbour) => [neighbour.id, neighbour]));
    if (!before) {
      for (const { id, sent } of neighbours) this.bridge.arrivalsFrom(id).giveUp(sent);
      return false;
    }
    for (const id of before.keys()) if (!this.known.has(id)) this.bridge.arrivals.delete(id);
    let lost = false;
    for (const { id, sent, gone } of neighbours) {
      const earlier = before.get(id);
      const owed = gone ? sent : earlier?.sent;
      if (owed !== undefined && this.missing(id, owed)) lost = true;
      if (gone && !earlier?.gone) lost = true;
    }
    return lost;
  }

  private missing(id: string, sent: number): boolean {
    const arrivals = this.bridge.arrivalsFrom(id);
    if (arrivals.include(sent)) return false;
    arrivals.giveUp(sent);
    this.logger.warn({ node: id }, 'events of another node did not arrive: reading them from the database');
    return true;
  }
}
