import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { Config } from '../config/config.js';

const BEAT_MS = 500;
/** A Redis that answers later than this is no help: what it carries are hints. */
const PATIENCE_MS = 400;
/** After this long without an answer the connections are made anew: a cut network says nothing. */
const GIVE_UP_MS = 5_000;
const OPEN_MS = 3_000;
/** Commands that may wait for an answer. Beyond it nothing is sent, so that a frozen Redis costs no memory. */
const MAX_UNANSWERED = 1_000;

type Listener = (message: string) => void;

/**
 * The line to Redis (or Valkey), where REDIS_URL names one. Nothing waits for it and nothing rests on it: what it
 * does not carry is found again in the database. On a cluster it uses sharded channels.
 */
@Injectable()
export class RedisLink implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(RedisLink.name);
  private readonly listeners = new Map<string, Listener>();
  private commands: Redis | Cluster | undefined;
  private subscriber: Redis | Cluster | undefined;
  private sharded = false;
  private unanswered = 0;
  private answeredAt = -Infinity;
  private beat: NodeJS.Timeout | undefined;
  private opening = false;
  private stopped = false;
  private complainedAt = -Infinity;

  constructor(private readonly config: Config) {}

  /** Whether it is configured at all. */
  get isWanted(): boolean {
    return this.config.redisUrl !== undefined;
  }

  /** Whether it has answered just now. */
  get isHealthy(): boolean {
    return this.commands !== undefined && performance.now() - this.answeredAt < 2 * (BEAT_MS + PATIENCE_MS);
  }

  /** For libraries that speak to Redis themselves; ask `isHealthy` before each use. */
  get client(): Redis | Cluster | undefined {
    return this.commands;
  }

  /** To be called before the app has started: from then on `listener` hears the channel, whenever Redis can be reached. */
  listen(channel: string, listener: Listener): void {
    this.listeners.set(channel, listener);
  }

  /** Sends where that is possible at once, and nothing otherwise. */
  publish(channel: string, message: string): void {
    const { commands } = this;
    if (!commands || !this.isHealthy || this.unanswered >= MAX_UNANSWERED) return;
    this.unanswered += 1;
    const sent = this.sharded ? commands.spublish(channel, message) : commands.publish(channel, message);
    sent.catch(() => undefined).finally(() => (this.unanswered -= 1));
  }

  async onApplicationBootstrap(): Promise<void> {
    if (!this.isWanted) return;
    await this.reopen();
    this.beat = setInterval(() => void this.ask(), BEAT_MS).unref();
  }

  onApplicationShutdown(): void {
    this.stopped = true;
    clearInterval(this.beat);
    this.close();
  }

  private async open(url: string): Promise<void> {
    const first = connect(url);
    this.commands = first;
    first.on('error', (error) => this.complain(error));
    await first.connect();
    this.sharded = /cluster_enabled:1/.test(await first.info('cluster'));
    if (this.sharded) {
      first.disconnect();
      this.commands = connectCluster(url);
      this.commands.on('error', (error) => this.complain(error));
      await this.commands.connect();
      this.subscriber = this.commands;
      this.subscriber.on('smessage', (channel: string, message: string) => this.hear(channel, message));
    } else {
      this.subscriber = connect(url);
      this.subscriber.on('error', (error) => this.complain(error));
      this.subscriber.on('message', (channel: string, message: string) => this.hear(channel, message));
      await this.subscriber.connect();
    }
    await this.subscribe(this.subscriber);
    if (!this.sharded) this.subscribeAgain(this.subscriber);
    this.answeredAt = performance.now();
    this.logger.log('the nodes share their events over Redis');
  }

  private async subscribe(subscriber: Redis | Cluster): Promise<void> {
    const channels = [...this.listeners.keys()];
    if (this.sharded) for (const channel of channels) await subscriber.ssubscribe(channel);
    else if (channels.length > 0) await subscriber.subscribe(...channels);
  }

  /**
   * With each new connection. ioredis would do it by itself, but where it gets no answer it ends the process with a
   * rejection that nobody can catch, and has forgotten the channels when it connects the next time.
   */
  private subscribeAgain(subscriber: Redis | Cluster): void {
    subscriber.on('ready', () => {
      this.subscribe(subscriber).catch((error: unknown) => this.complain(error));
    });
  }

  private hear(channel: string, message: string): void {
    this.listeners.get(channel)?.(message);
  }

  private async ask(): Promise<void> {
    if (this.stopped || this.opening) return;
    if (!this.commands || !this.subscriber || performance.now() - this.answeredAt > GIVE_UP_MS) return this.reopen();
    try {
      await Promise.all([this.commands.ping(), ...(this.sharded ? [] : [this.subscriber.ping()])]);
      this.answeredAt = performance.now();
    } catch (error) {
      this.complain(error);
    }
  }

  /** Gives up after a while, to be tried again with the next beat: a connection may hang without an error. */
  private async reopen(): Promise<void> {
    this.close();
    this.opening = true;
    const tooLong = new AbortController();
    const limit = sleep(OPEN_MS, undefined, { signal: tooLong.signal, ref: false }).then(() => {
      throw new Error(`no answer within ${OPEN_MS} ms`);
    });
    try {
      await Promise.race([this.open(this.config.redisUrl ?? ''), limit]);
    } catch (error) {
      this.complain(error);
      this.close();
    } finally {
      tooLong.abort();
      limit.catch(() => undefined);
      this.opening = false;
    }
  }

  private close(): void {
    this.commands?.disconnect();
    this.subscriber?.disconnect();
    this.commands = undefined;
    this.subscriber = undefined;
    this.unanswered = 0;
  }

  /** Once a while: a Redis that is away says so with every beat. */
  private complain(error: unknown): void {
    if (this.stopped || performance.now() - this.complainedAt < 30_000) return;
    this.complainedAt = performance.now();
    this.logger.warn({ err: error as Error }, 'Redis cannot be reached: other nodes are told through the database');
  }
}

const OPTIONS = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  commandTimeout: PATIENCE_MS,
  connectTimeout: 2_000,
  retryStrategy: (times: number) => Math.min(times * 100, 1_000),
} satisfies RedisOptions;

function connect(url: string): Redis {
  return new Redis(url, OPTIONS);
}

function connectCluster(url: string): Cluster {
  const { hostname, port, username, password, protocol } = new URL(url);
  const { lazyConnect, commandTimeout, connectTimeout } = OPTIONS;
  return new Cluster([{ host: hostname, port: Number(port || 6379) }], {
    lazyConnect,
    shardedSubscribers: true,
    redisOptions: {
      commandTimeout,
      connectTimeout,
      ...(username ? { username: decodeURIComponent(username) } : {}),
      ...(password ? { password: decodeURIComponent(password) } : {}),
      ...(protocol === 'rediss:' ? { tls: {} } : {}),
    },
  });
}
