import { setTimeout as sleep } from 'node:timers/promises';
import { runApp, type RunningApp } from '../support/run-app.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { startProxy, type TcpProxy, type Way } from '../support/tcp-proxy.js';
import { Redis } from 'ioredis';
import type { Fault } from './plan.js';
import { type ChaosPostgres, startPostgres } from './postgres.js';

/** How far each node's clock is from the true time: they never agree. */
const CLOCKS_MS = [0, 5 * 60_000];
const SECRET_KEY = 'k9Jw2LqZ8vXr4TnB7mYcP3sHdF6gA1eU0oRiW5';

interface Node {
  url: string;
  app: RunningApp;
  env: Record<string, string>;
  /** The ways to its Redis and to its PostgreSQL. */
  redis: TcpProxy;
  postgres: TcpProxy;
  /** What it wrote before it was last started anew. */
  earlier: string;
  /** Faults of one node wait for each other. */
  line: Promise<void>;
}

/** Two nodes, their Redis and their PostgreSQL, and the ways in which they are hit. */
export class House {
  /** When nothing could be expected of somebody: for judging what came late. */
  readonly away: { what: string; from: number; to: number }[] = [];
  /** Ends that took too long, starts that failed. */
  readonly complaints: string[] = [];
  /** What nodes that were ending answered to who asked whether they are ready. */
  readonly readiness = new Set<number>();
  private readonly lines = { redis: Promise.resolve(), postgres: Promise.resolve() };

  private constructor(
    private readonly redis: RedisServer,
    readonly postgres: ChaosPostgres,
    private readonly nodes: Node[],
  ) {}

  static async open(): Promise<House> {
    const [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
    const nodes = await Promise.all(CLOCKS_MS.map((clock) => startNode(redis.url, postgres.url, clock)));
    return new House(redis, postgres, nodes);
  }

  get urls(): string[] {
    return this.nodes.map(({ url }) => url);
  }

  get logs(): string[] {
    return this.nodes.map(({ app, earlier }) => earlier + app.output());
  }

  /** Strikes now; what it hits is back when this returns. */
  async strike(fault: Fault): Promise<void> {
    const [target] = fault.kind.split(' ') as ['node' | 'redis' | 'postgres'];
    const node = this.nodes[fault.node] as Node;
    const line = target === 'node' ? node.line : this.lines[target];
    const mine = line
      .then(() => this.hit(fault, node))
      .catch((error: unknown) => {
        this.complaints.push(`${fault.kind}: ${String(error)}`);
      });
    if (target === 'node') node.line = mine;
    else this.lines[target] = mine;
    await mine;
  }

  /** While nothing gets from one node to the other but through the database. */
  async withoutRedis(act: () => Promise<void>): Promise<void> {
    await this.redis.kill();
    await act();
    await this.redis.start();
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map(({ app }) => app.stop()));
    await Promise.all(this.nodes.flatMap(({ redis, postgres }) => [redis.stop(), postgres.stop()]));
    await Promise.all([this.redis.stop(), this.postgres.stop()]);
  }

  private async hit({ kind, ms, way, node: i }: Fault, node: Node): Promise<void> {
    const from = Date.now();
    switch (kind) {
      case 'node killed':
        await node.app.kill('SIGKILL');
        await this.startAgain(node, ms);
        break;
      case 'node stopped':
        await this.end(node, i);
        if (Date.now() - from > 10_500) this.complaints.push(`node ${i} took ${Date.now() - from} ms to end`);
        await this.startAgain(node, ms);
        break;
      case 'node frozen':
        process.kill(node.app.pid, 'SIGSTOP');
        await sleep(ms);
        process.kill(node.app.pid, 'SIGCONT');
        break;
      case 'node cut off from redis':
        await cutOff(node.redis, way, ms);
        break;
      case 'node cut off from postgres':
        await cutOff(node.postgres, way, ms);
        break;
      case 'redis killed':
        await this.redis.kill();
        await sleep(ms);
        await this.redis.start();
        break;
      case 'redis flushed':
        await this.flush();
        break;
      case 'redis frozen':
        this.redis.freeze();
        await sleep(ms);
        this.redis.thaw();
        break;
      case 'postgres restarted':
        await this.postgres.restart('SIGINT', ms);
        break;
      case 'postgres crashed':
        await this.postgres.restart('SIGQUIT', ms);
        break;
      case 'postgres frozen':
        await this.postgres.freeze(ms);
        break;
    }
    this.away.push({ what: kind.startsWith('node') ? `node ${i}` : kind, from, to: Date.now() });
  }

  /** From the first moment on a balancer is told to send nobody there any more. */
  private async end(node: Node, i: number): Promise<void> {
    const ended = node.app.kill('SIGTERM');
    let isOver = false;
    void ended.then(() => (isOver = true));
    let answers = 0;
    while (!isOver) {
      const asked = Date.now();
      const response = await fetch(`${node.url}/health/ready`, { signal: AbortSignal.timeout(1_000) }).catch(
        () => undefined,
      );
      if (response) answers += 1;
      if (response) this.readiness.add(response.status);
      if (response?.status === 200 && answers > 1) this.complaints.push(`node ${i} is ready while it ends`);
      await sleep(Math.max(0, asked + 20 - Date.now()));
    }
    await ended;
  }

  /** A node that finds no database at its start ends, and whoever watches over it starts it again. */
  private async startAgain(node: Node, ms: number): Promise<void> {
    await sleep(ms);
    node.earlier += node.app.output();
    const port = String(node.app.port);
    for (let tries = 1; ; tries += 1) {
      try {
        node.app = await runApp({ ...node.env, PORT: port });
        return;
      } catch (error) {
        if (tries === 20) throw error;
        await sleep(300);
      }
    }
  }

  private async flush(): Promise<void> {
    const client = new Redis(this.redis.url, {
      retryStrategy: () => null,
      connectTimeout: 1_000,
      commandTimeout: 2_000,
    });
    client.on('error', () => undefined);
    await client.flushall().catch(() => undefined);
    client.disconnect();
  }
}

async function startNode(redisUrl: string, postgresUrl: string, clockMs: number): Promise<Node> {
  const [redis, postgres] = await Promise.all([startProxy(addressOf(redisUrl)), startProxy(addressOf(postgresUrl))]);
  const env = {
    DATABASE_URL: through(postgres, postgresUrl),
    REDIS_URL: through(redis, redisUrl),
    SECRET_KEY,
    RATE_LIMIT: 'off',
    NODE_OPTIONS: `--import=${new URL('../support/other-clock.js', import.meta.url).href}`,
    OTHER_CLOCK_MS: String(clockMs),
  };
  const app = await runApp(env);
  return { url: app.url, app, env, redis, postgres, earlier: '', line: Promise.resolve() };
}

async function cutOff(from: TcpProxy, way: Way, ms: number): Promise<void> {
  from.freeze(way);
  await sleep(ms);
  from.thaw();
}

function addressOf(text: string): { host: string; port: number } {
  const url = new URL(text);
  return { host: url.hostname, port: Number(url.port) };
}

function through(proxy: TcpProxy, text: string): string {
  const url = new URL(text);
  url.hostname = '127.0.0.1';
  url.port = String(proxy.port);
  return url.href;
}
