import type { Config } from '../../src/platform/config/config.js';
import { Database } from '../../src/platform/database/database.js';
import { EventBus } from '../../src/platform/events/event-bus.js';
import { EventBridge } from '../../src/platform/nodes/event-bridge.js';
import { NodeRegistry } from '../../src/platform/nodes/node-registry.js';
import { HintsLost } from '../../src/platform/nodes/nodes.events.js';
import { RedisLink } from '../../src/platform/nodes/redis-link.js';
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.js';
import { servicesOnOwnDatabase, startServices } from '../support/services.js';
import { until } from '../support/until.js';

/** Nodes on one database and one Redis, whose beats are made by the test. */
(hasRedis ? describe : describe.skip)('what Redis did not carry from another node', () => {
  let services: Awaited<ReturnType<typeof servicesOnOwnDatabase>>;
  let redis: RedisServer;
  let isCarrying: boolean;
  const links: RedisLink[] = [];

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
    redis = await startRedis();
  }, 60_000);
  afterAll(async () => {
    await redis.stop();
    await services.close();
  });
  beforeEach(async () => {
    isCarrying = true;
    await services.dataSource.query('DELETE FROM nodes');
  });
  afterEach(() => links.splice(0).forEach((link) => link.onApplicationShutdown()));

  const node = async () => {
    const bus = new EventBus();
    const heard = new Set<unknown>();
    let lost = 0;
    bus.onAny(({ data }) => void heard.add((data as { number?: number }).number));
    bus.on(HintsLost, () => (lost += 1));
    const link = new RedisLink({ redisUrl: redis.url } as Config);
    const bridge = new EventBridge(bus, link);
    bridge.onModuleInit();
    await link.onApplicationBootstrap();
    links.push(link);
    const publish = link.publish.bind(link);
    // What is lost on the way is as good as never sent.
    link.publish = (channel, text) => (isCarrying ? publish(channel, text) : undefined);
    const registry = new NodeRegistry(services.app.get(Database), services.dataSource, bus, bridge, link);
    return {
      heard,
      lost: () => lost,
      beat: () => (registry as unknown as { beat(): Promise<void> }).beat(),
      stop: () => registry.onApplicationShutdown(),
      /** One parcel, made at the end of this turn of the event loop. */
      say: async (number: number) => {
        const { sent } = bridge;
        bus.publish({ type: 'something', audience: ['advocates'], data: { number } });
        await until(() => Promise.resolve(bridge.sent > sent));
      },
    };
  };
  type Node = Awaited<ReturnType<typeof node>>;
  const beats = async (times: number, ...nodes: Node[]) => {
    for (let i = 0; i < times; i += 1) for (const { beat } of nodes) await beat();
  };
  const arrives = (number: number, at: Node) => until(() => Promise.resolve(at.heard.has(number)));

  it('is noticed', async () => {
    const [a, b] = [await node(), await node()];
    await beats(3, b, a);
    await b.say(1);
    await arrives(1, a);
    await beats(3, b, a);
    expect(a.lost()).toBe(0);
    isCarrying = false;
    await b.say(2);
    await beats(3, b, a);
    expect(a.lost()).toBe(1);
  });

  it('is noticed though the other one has just started, and what it says next arrives', async () => {
    const a = await node();
    await beats(2, a);
    const b = await node();
    await b.beat();
    isCarrying = false;
    await b.say(1);
    await a.beat();
    isCarrying = true;
    await b.say(2);
    await arrives(2, a);
    await beats(4, b, a);
    expect(a.lost()).toBe(1);
  });

  it('is noticed by one that has just started, as soon as something arrives again', async () => {
    const b = await node();
    await b.beat();
    await b.say(1);
    const a = await node();
    await a.beat();
    // Sockets open on it now, and miss this.
    isCarrying = false;
    await b.say(2);
    isCarrying = true;
    await b.say(3);
    await arrives(3, a);
    await beats(4, b, a);
    expect(a.lost()).toBe(1);
  });

  it('is noticed though the other one has stopped in good order since', async () => {
    const [a, b] = [await node(), await node()];
    await beats(3, b, a);
    isCarrying = false;
    await b.say(1);
    await b.stop();
    await beats(4, a);
    expect(a.lost()).toBe(1);
  });

  it('is nothing where one stops that was heard to the end', async () => {
    const [a, b] = [await node(), await node()];
    await beats(3, b, a);
    await b.say(1);
    await arrives(1, a);
    await b.stop();
    await beats(4, a);
    expect(a.lost()).toBe(0);
  });

  describe('while this one could reach neither it nor the database', () => {
    const age = (interval: string) =>
      services.dataSource.query(`UPDATE nodes SET seen_at = seen_at - $1::interval`, [interval]);

    it('is noticed though the other one has stopped in good order minutes ago', async () => {
      const [a, b] = [await node(), await node()];
      await beats(3, b, a);
      isCarrying = false;
      await b.say(1);
      await b.stop();
      await age('5 minutes');
      await beats(4, a);
      expect(a.lost()).toBe(1);
    });

    it('is noticed though the other one was killed minutes ago', async () => {
      const [a, b] = [await node(), await node()];
      await beats(3, b, a);
      isCarrying = false;
      await b.say(1);
      await age('5 minutes');
      await beats(4, a);
      expect(a.lost()).toBe(1);
    });

    it('is noticed though the other one has started and was killed since', async () => {
      const a = await node();
      await beats(2, a);
      isCarrying = false;
      const b = await node();
      await b.beat();
      await b.say(1);
      await age('10 seconds');
      await beats(4, a);
      expect(a.lost()).toBe(1);
    });

    it('is nothing where the other one ended before this one started', async () => {
      const [b, c] = [await node(), await node()];
      await b.say(1);
      await beats(1, b, c);
      await c.stop();
      await age('5 minutes');
      const a = await node();
      await beats(4, a);
      expect(a.lost()).toBe(0);
    });
  });

  it('need not be looked for where one was shut down in good order: it says so', async () => {
    const { app, close } = await startServices(services.database.url, { REDIS_URL: redis.url });
    const { sent } = app.get(EventBridge);
    await close();
    expect(await services.dataSource.query('SELECT sent::int, ended FROM nodes')).toEqual([{ sent, ended: true }]);
  });
});
