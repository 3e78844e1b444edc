import { setTimeout as sleep } from 'node:timers/promises';
import {
  administrator,
  type Frame,
  type Person,
  person,
  serverOf,
  signedInAgain,
  type Socket,
} from '../support/people.js';
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.js';
import { GeneralLimit } from '../../src/platform/limits/general-limit.js';
import { startServices } from '../support/services.js';
import { runApp, type RunningApp } from '../support/run-app.js';
import { startProxy } from '../support/tcp-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const SECRET_KEY = 'k9Jw2LqZ8vXr4TnB7mYcP3sHdF6gA1eU0oRiW5';
const ROUND = 40;
const ECHO = '01990000-0000-7000-8000-000000000001';

(hasRedis ? describe : describe.skip)('two nodes with Redis', () => {
  let redis: RedisServer;
  let database: TestDatabase;
  let here: RunningApp;
  let there: RunningApp;
  let ada: Person;
  let bob: Person;
  let serverId: string;
  let room: string;
  let socket: Socket;

  beforeAll(async () => {
    redis = await startRedis();
    database = await createTestDatabase();
    const env = { DATABASE_URL: database.url, SECRET_KEY, RATE_LIMIT: 'off', REDIS_URL: redis.url };
    [here, there] = await Promise.all([runApp(env), runApp(env)]);
    ada = await person(here.url, 'ada');
    bob = await signedInAgain(await person(here.url, 'bob'), there.url);
    ({ id: serverId, general: room } = await serverOf(ada, bob));
    socket = await bob.socket();
  }, 90_000);

  afterAll(async () => {
    socket.close();
    await Promise.all([here.stop(), there.stop()]);
    await redis.stop();
    await database.drop();
  }, 60_000);

  const hears = (wanted: Socket, content: string) =>
    wanted.next(({ type, message }) => type === 'message.created' && message.content === content);

  it('tell each other what is said, changed and deleted', async () => {
    const { id } = await ada.say(room, 'hello over there');
    await hears(socket, 'hello over there');
    await ada.patch(`/conversations/${room}/messages/${id}`, { content: 'hello again' });
    await socket.next(({ type, message }) => type === 'message.updated' && message.content === 'hello again');
    await ada.delete(`/conversations/${room}/messages/${id}`);
    await socket.next(({ type, message }) => type === 'message.deleted' && message.id === id);
  });

  it('deliver one order on both, however the sends race', async () => {
    const mine = await ada.socket();
    const send = (who: Person, i: number) => who.say(room, `${who.name} ${i}`);
    await Promise.all(Array.from({ length: ROUND }, (_, i) => [send(ada, i), send(bob, i)]).flat());
    const last = (await ada.say(room, 'the end')).rev as number;
    await Promise.all([hears(mine, 'the end'), hears(socket, 'the end')]);
    for (const listener of [mine, socket]) {
      const revs = listener.of('message.created').map(({ rev }) => rev as number);
      const round = revs.slice(-2 * ROUND - 1);
      expect(round).toEqual(Array.from({ length: 2 * ROUND + 1 }, (_, i) => last - 2 * ROUND + i));
    }
    mine.close();
  });

  it('let nobody hear on who was removed on the other, with or without Redis', async () => {
    for (const away of [false, true]) {
      const carol = await signedInAgain(await person(here.url, 'carol'), there.url);
      await ada.post(`/servers/${serverId}/members`, { userId: carol.id });
      const ears = await carol.socket();
      if (away) await redis.kill();
      await ada.delete(`/servers/${serverId}/members/${carol.id}`);
      await sleep(1_000);
      await ada.say(room, `without carol ${away}`);
      if (away) await redis.start();
      await hears(socket, `without carol ${away}`);
      await ears.settle();
      expect(ears.heard.filter(({ message }) => message?.content === `without carol ${away}`)).toEqual([]);
      expect(ears.of('member.removed')).toMatchObject([{ serverId, userId: carol.id }]);
      ears.close();
    }
  }, 30_000);

  it('go on while Redis is gone or frozen, and deliver from the database what it did not carry', async () => {
    const outages = [
      { begin: () => redis.kill(), end: () => redis.start() },
      { begin: () => Promise.resolve(redis.freeze()), end: () => Promise.resolve(redis.thaw()) },
    ];
    for (const [i, { begin, end }] of outages.entries()) {
      await begin();
      const started = Date.now();
      const { id } = await ada.say(room, `through outage ${i}`);
      await ada.patch(`/conversations/${room}/messages/${id}`, { content: `edited in outage ${i}` });
      const channel = (await ada.post(`/servers/${serverId}/channels`, { name: `outage-${i}`, type: 'TEXT' })).body;
      await ada.say(channel.id, `said in a new room ${i}`);
      expect(Date.now() - started).toBeLessThan(3_000);
      await socket.next(({ message }) => message?.id === id && message.content === `edited in outage ${i}`);
      await socket.next(({ type, conversation }) => type === 'conversation.created' && conversation.id === channel.id);
      await end();
      await ada.say(channel.id, `after outage ${i}`);
      await hears(socket, `after outage ${i}`);
    }
  }, 60_000);

  it('tell what becomes of the queue and of replies while Redis is gone', async () => {
    const env = { DATABASE_URL: database.url, SECRET_KEY, RATE_LIMIT: 'off', REDIS_URL: redis.url };
    const root = await administrator(here.url, env);
    const cleo = await person(here.url, 'cleo');
    await root.patch(`/admin/users/${cleo.id}`, { isAdvocate: true });
    const open = async (): Promise<string> => (await ada.post('/sessions', { type: 'peer' })).body.id;
    const early = await open();
    const watching = await (await signedInAgain(cleo, there.url)).socket();
    const hers = await (await signedInAgain(ada, there.url)).socket();
    const about = (type: string, id: string) => (frame: Frame) =>
      frame.type === type && (frame.sessionId ?? frame.session?.id ?? frame.conversation?.id) === id;

    await redis.kill();
    const late = await open();
    const { session } = await watching.next(about('session.queued', late));
    expect(session).toMatchObject({ owner: { id: ada.id }, waitingSince: expect.any(String) });
    expect((await cleo.post(`/sessions/${early}/claim`)).status).toBe(200);
    const claimed = { sessionId: early, advocate: { id: cleo.id } };
    for (const ears of [watching, hers]) {
      expect(await ears.next(about('session.claimed', early))).toMatchObject(claimed);
    }
    await hers.next(
      (frame) => about('conversation.updated', early)(frame) && frame.conversation.advocate?.id === cleo.id,
    );
    await watching.next(about('conversation.created', early));
    expect((await cleo.post(`/sessions/${early}/release`)).status).toBe(204);
    await watching.next((frame) => frame.type === 'conversation.deleted' && frame.conversationId === early);
    await ada.delete(`/sessions/${late}`);
    await watching.next(about('session.dequeued', late));
    const asked = (await ada.post('/sessions', { type: 'agent', agentId: ECHO })).body.id;
    await ada.say(asked, 'Echo!');
    await hers.next(
      (frame) => about('conversation.updated', asked)(frame) && frame.conversation.reply?.status === 'done',
    );
    await redis.start();

    const next = await open();
    await watching.next(about('session.queued', next));
    expect(watching.of('session.queued').map((frame) => frame.session.id)).toEqual([late, early, next]);
    expect(watching.of('session.claimed')).toHaveLength(1);
    expect(watching.of('session.dequeued')).toHaveLength(1);
    watching.close();
    hers.close();
  }, 60_000);

  it('know who types and who is here on the other, also when it is killed', async () => {
    const env = { DATABASE_URL: database.url, SECRET_KEY, RATE_LIMIT: 'off', REDIS_URL: redis.url };
    const third = await runApp(env);
    const finn = await signedInAgain(await person(here.url, 'finn'), third.url);
    await ada.post(`/servers/${serverId}/members`, { userId: finn.id });
    const finns = await finn.socket();
    const screen = await ada.socket();
    const listed = async () =>
      (await ada.get(`/servers/${serverId}/members`)).body.items.find(({ user }: any) => user.id === finn.id).presence;
    const becomes = (status: string) =>
      screen.next((frame) => frame.type === 'presence' && frame.userId === finn.id && frame.status === status);
    await screen.ask({ type: 'subscribe', conversationId: room });
    while ((await listed()) !== 'online') await sleep(50);
    const { presence } = await screen.ask({ type: 'subscribe', conversationId: room });
    expect(presence).toContainEqual({ userId: finn.id, status: 'online' });
    await finns.ask({ type: 'presence.set', status: 'dnd' });
    await becomes('dnd');
    finns.send({ type: 'typing.start', conversationId: room });
    await screen.next((frame) => frame.type === 'typing.start' && frame.user.id === finn.id);

    // What Redis forgets is asked for again.
    await redis.kill();
    await finns.ask({ type: 'presence.set', status: 'away' });
    await redis.start();
    await becomes('away');
    const killed = Date.now();
    await third.kill('SIGKILL');
    await becomes('offline');
    expect(Date.now() - killed).toBeLessThan(20_000);
    expect(await listed()).toBe('offline');
    screen.close();
  }, 90_000);

  it('deliver what a node had committed when it was killed', async () => {
    const env = { DATABASE_URL: database.url, SECRET_KEY, RATE_LIMIT: 'off', REDIS_URL: redis.url };
    const third = await runApp(env);
    const dora = await signedInAgain(await person(here.url, 'dora'), third.url);
    await ada.post(`/servers/${serverId}/members`, { userId: dora.id });
    const said: Promise<{ id: string } | undefined>[] = [];
    for (let i = 0; i < 200; i += 1) said.push(dora.say(room, `last words ${i}`).catch(() => undefined));
    await Promise.race(said);
    await third.kill('SIGKILL');
    await Promise.all(said);
    const { items } = (await ada.get(`/conversations/${room}/messages?limit=100`)).body as { items: { id: string }[] };
    for (const { id } of items) await socket.next(({ message }) => message?.id === id);
  }, 60_000);
});

(hasRedis ? describe : describe.skip)('two nodes on a Redis of their own', () => {
  it('tell each other what is said over the sharded channels of a cluster', async () => {
    const redis = await startRedis({ cluster: true });
    const database = await createTestDatabase();
    const env = { DATABASE_URL: database.url, SECRET_KEY, RATE_LIMIT: 'off', REDIS_URL: redis.url };
    const [here, there] = await Promise.all([runApp(env), runApp(env)]);
    try {
      const ada = await person(here.url, 'ada');
      const bob = await signedInAgain(await person(here.url, 'bob'), there.url);
      const { general } = await serverOf(ada, bob);
      const socket = await bob.socket();
      const started = Date.now();
      await ada.say(general, 'sharded');
      await socket.next(({ message }) => message?.content === 'sharded');
      // Sooner than it would be found in the database.
      expect(Date.now() - started).toBeLessThan(1_000);
      socket.close();
    } finally {
      await Promise.all([here.stop(), there.stop()]);
      await redis.stop();
      await database.drop();
    }
  }, 60_000);

  it('outlive a Redis that comes back and is gone again before they have subscribed', async () => {
    const redis = await startRedis();
    const database = await createTestDatabase();
    const proxy = await startProxy({ host: '127.0.0.1', port: Number(new URL(redis.url).port) });
    const url = `redis://127.0.0.1:${proxy.port}`;
    const app = await runApp({ DATABASE_URL: database.url, SECRET_KEY, RATE_LIMIT: 'off', REDIS_URL: url });
    try {
      const isLive = () =>
        fetch(`${app.url}/health/live`).then(
          ({ ok }) => ok,
          () => false,
        );
      const before = await redis.calls('subscribe');
      proxy.cut();
      proxy.loseAnswerTo('subscribe');
      proxy.thaw();
      while ((await redis.calls('subscribe')) < before + 2 && (await isLive())) await sleep(50);
      expect(await isLive()).toBe(true);
    } finally {
      await app.stop();
      await proxy.stop();
      await redis.stop();
      await database.drop();
    }
  }, 60_000);

  it('count calls together', async () => {
    const redis = await startRedis();
    const database = await createTestDatabase();
    const settings = { RATE_LIMIT: 'on', REDIS_URL: redis.url };
    const nodes = await Promise.all([startServices(database.url, settings), startServices(database.url, settings)]);
    try {
      const limits = nodes.map(({ app }) => app.get(GeneralLimit));
      let admitted = 0;
      // Not all at once: a Redis that answers too late is counted without.
      for (let wave = 0; wave < 121; wave += 1) {
        const calls = Array.from({ length: 100 }, (_, i) => limits[i % 2]!.admit('192.0.2.1'));
        for (const { status } of await Promise.allSettled(calls)) admitted += status === 'fulfilled' ? 1 : 0;
      }
      expect(admitted).toBe(12_000);
      await redis.kill();
      await limits[0]!.admit('192.0.2.2');
    } finally {
      await Promise.all(nodes.map(({ close }) => close()));
      await redis.stop();
      await database.drop();
    }
  }, 60_000);
});
