import { Injectable, type OnModuleInit } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { ConversationUpdated, type ConversationChange } from '../../conversations/conversations.events.js';
import { MessageStored } from '../../messages/messages.events.js';
import { WriteQueue } from '../../messages/write-queue.js';
import { Database } from '../../platform/database/database.js';
import { Config } from '../../platform/config/config.js';
import { EventBus } from '../../platform/events/event-bus.js';
import { CLOSE } from '../../realtime/close-codes.js';
import { Hub } from '../../realtime/hub.js';
import { freeBytes } from '../health/disk.js';

/** A client may close with any of thousands of codes; only those that mean something here get a series. */
const CLOSE_CODES = new Set<number>([1000, 1001, 1005, 1006, 1009, ...Object.values(CLOSE)]);

const PATIENCE_MS = 2_000;

type Imports = { source: string; count: number }[];

/**
 * What the features count in plain numbers, read when somebody asks for it. Labels name kinds and codes, never whose
 * or which: ids would make a series each, and tell who talks.
 */
@Injectable()
export class HouseMetrics implements OnModuleInit {
  private asking: Promise<Imports> | undefined;

  constructor(
    private readonly registry: Registry,
    private readonly bus: EventBus,
    private readonly database: Database,
    private readonly queue: WriteQueue,
    private readonly hub: Hub,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    collectDefaultMetrics({ register: this.registry });
    this.countMessages();
    this.countReplies();
    this.readSockets();
    this.readPool();
    this.readQueue();
    this.readDisk();
    // They are read in this order, and this asks the database: before the pool it would be seen waiting there.
    this.readImports();
  }

  private countMessages(): void {
    const sent = new Counter({
      name: 'parley_messages_sent_total',
      help: 'Messages stored by this node, by the kind of their conversation.',
      labelNames: ['kind'],
      registers: [this.registry],
    });
    this.bus.on(MessageStored, ({ room }) => sent.inc({ kind: room.kind }));
  }

  /** By what this node tells the others: what it hears from them, they count. */
  private countReplies(): void {
    const replies = new Counter({
      name: 'parley_replies_total',
      help: 'Replies of agents on this node, by what became of them: running, done, failed, stopped.',
      labelNames: ['status'],
      registers: [this.registry],
    });
    this.bus.forward(({ type, data }) => {
      if (type !== ConversationUpdated.type) return;
      const { reply } = (data as { conversation: ConversationChange }).conversation;
      if (reply) replies.inc({ status: reply.status });
    });
  }

  /** Imports run beside the app: what they leave in the database is counted. */
  private readImports(): void {
    const imports: Gauge = new Gauge({
      name: 'parley_imports',
      help: 'Imports of old data that stand in the database, by the old system.',
      labelNames: ['source'],
      registers: [this.registry],
      collect: async () => {
        imports.reset();
        for (const { source, count } of await this.imports()) imports.set({ source }, count);
      },
    });
  }

  /**
   * None while the database is away: the other series are wanted most then, and whoever reads them waits for ten seconds
   * at most. One question at a time: while it hangs, each reading would take another connection of the pool.
   */
  private async imports(): Promise<Imports> {
    this.asking ??= this.database
      .query<Imports[number]>(`SELECT source, count(*) FROM imports GROUP BY source`)
      .finally(() => (this.asking = undefined));
    const tooLong = sleep(PATIENCE_MS, [], { ref: false });
    return Promise.race([this.asking, tooLong]).catch(() => []);
  }

  private readSockets(): void {
    const { connections, counts } = this.hub;
    this.gauge('parley_sockets_open', 'Sockets open on this node.', () => connections.size);
    this.counter('parley_sockets_opened_total', 'Sockets opened since the start.', undefined, () => [
      ['', counts.opened],
    ]);
    this.counter('parley_sockets_closed_total', 'Sockets that ended, by close code.', 'code', () =>
      [...counts.closedBy].map(([code, count]) => [CLOSE_CODES.has(code) ? code : 'other', count] as const),
    );
    this.counter(
      'parley_events_delivered_total',
      'Frames given to sockets, one for each listener, by type of event: message.created are the messages delivered.',
      'type',
      () => counts.deliveredBy,
    );
  }

  private readPool(): void {
    const pool = new Gauge({
      name: 'parley_database_connections',
      help: 'Connections of the pool, busy and idle, and callers waiting for one.',
      labelNames: ['state'],
      registers: [this.registry],
      collect: () => {
        for (const [state, value] of Object.entries(this.database.poolUse)) pool.set({ state }, value);
      },
    });
  }

  private readQueue(): void {
    this.gauge(
      'parley_write_queue_waiting',
      'Sends and changes that wait for their turn.',
      () => this.queue.load.waiting,
    );
    this.gauge('parley_write_queue_running', 'Batches and jobs at the database.', () => this.queue.load.running);
  }

  private readDisk(): void {
    const disk: Gauge = new Gauge({
      name: 'parley_disk_free_bytes',
      help: 'What is left where DATA_DIR lies: uploads, and the embedded database.',
      registers: [this.registry],
      collect: async () => disk.set((await freeBytes(this.config.dataDir)) ?? NaN),
    });
  }

  private gauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({ name, help, registers: [this.registry], collect: () => gauge.set(read()) });
  }

  /** A counter that is kept elsewhere: it is set to what is read there. */
  private counter(
    name: string,
    help: string,
    label: string | undefined,
    read: () => Iterable<readonly [string | number, number]>,
  ): void {
    const counter = new Counter({
      name,
      help,
      labelNames: label === undefined ? [] : [label],
      registers: [this.registry],
      collect: () => {
        counter.reset();
        for (const [value, count] of read()) counter.inc(label === undefined ? {} : { [label]: value }, count);
      },
    });
  }
}
