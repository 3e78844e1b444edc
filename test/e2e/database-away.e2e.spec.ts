import { setTimeout as sleep } from 'node:timers/promises';
import { type Person, person, serverOf } from '../support/people.js';
import { runApp, type RunningApp } from '../support/run-app.js';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

describe('while the database is away', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let app: RunningApp;
  let ada: Person;
  let bob: Person;
  let room: string;
  let serverId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    const url = new URL(database.url);
    proxy = await startProxy({ host: url.hostname, port: Number(url.port) });
    url.hostname = '127.0.0.1';
    url.port = String(proxy.port);
    app = await runApp({ DATABASE_URL: url.href, RATE_LIMIT: 'off', DB_POOL_SIZE: '5' });
    ada = await person(app.url, 'ada');
    bob = await person(app.url, 'bob');
    ({ id: serverId, general: room } = await serverOf(ada, bob));
  }, 60_000);
  afterAll(async () => {
    await app.stop();
    await proxy.stop();
    await database.drop();
  }, 60_000);

  it.each([
    ['hangs', () => proxy.freeze()],
    ['is gone', () => proxy.cut()],
  ])(
    '%s: sends, reads and changes answer 503, sockets stay, and all is well once it is back',
    async (how, leave) => {
      const socket = await bob.socket();
      const { id } = await ada.say(room, `before it ${how}`);
      leave();
      const answers = await Promise.all([
        ...Array.from({ length: 20 }, (_, i) =>
          ada.post(`/conversations/${room}/messages`, { content: `${how} ${i}`, nonce: `${how} ${i}` }),
        ),
        ada.get(`/conversations/${room}/messages`),
        ada.patch(`/conversations/${room}/messages/${id}`, { content: `after it ${how}` }),
      ]);
      expect(answers.map(({ status }) => status)).toEqual(Array(22).fill(503));
      expect(answers.map(({ body }) => body.code)).toEqual(Array(22).fill('unavailable'));
      expect((await fetch(`${app.url}/health/live`)).status).toBe(200);
      proxy.thaw();
      const deadline = Date.now() + 5_000;
      while ((await ada.get(`/conversations/${room}`)).status !== 200) {
        if (Date.now() > deadline) throw new Error('not healed within 5 s');
        await sleep(100);
      }
      for (let i = 0; i < 20; i += 1) await ada.say(room, `${how} ${i}`, `${how} ${i}`);
      const { items } = (await ada.get(`/conversations/${room}/messages?limit=100`)).body as { items: Said[] };
      const said = items.filter(({ nonce }) => nonce?.startsWith(how)).map(({ nonce }) => nonce);
      expect(said.sort()).toEqual(Array.from({ length: 20 }, (_, i) => `${how} ${i}`).sort());
      await socket.next(({ message }) => message?.nonce === `${how} 19`);
      socket.close();
    },
    90_000,
  );

  it('hangs: the metrics are read all the same, before their reader gives up', async () => {
    proxy.freeze();
    const begun = performance.now();
    const text = await (await fetch(`${app.url}/metrics`)).text();
    const took = performance.now() - begun;
    proxy.thaw();
    expect(text).toContain('parley_sockets_open ');
    // Prometheus waits for ten seconds where it is told nothing else.
    expect(took).toBeLessThan(5_000);
  }, 30_000);

  it('loses the answer to a commit: everybody still learns what was stored, and nobody has to say another word', async () => {
    const socket = await bob.socket();
    await ada.say(room, 'before the loss');
    proxy.loseAnswerTo('unheard words');
    const { status } = await ada.post(`/conversations/${room}/messages`, {
      content: 'unheard words',
      nonce: 'unheard',
    });
    expect(status).toBe(503);
    const { message } = await socket.next(({ message }) => message?.content === 'unheard words');
    expect((await ada.say(room, 'unheard words', 'unheard')).id).toBe(message.id);

    const { rev } = await socket.next(({ message: { content } = {} }) => content === 'unheard words');
    proxy.loseAnswerTo('COMMIT');
    const edited = await ada.patch(`/conversations/${room}/messages/${message.id}`, { content: 'unheard change' });
    expect(edited.status).toBe(503);
    expect(await socket.next('message.updated')).toMatchObject({
      rev: rev + 1,
      message: { content: 'unheard change' },
    });
    socket.close();
  }, 60_000);

  it('loses the answer to the commit of a membership: the new member hears of it and of all that follows', async () => {
    const carol = await person(app.url, 'carol');
    const socket = await carol.socket();
    proxy.loseAnswerTo('COMMIT');
    const { status } = await ada.post(`/servers/${serverId}/members`, { userId: carol.id });
    expect(status).toBe(503);
    await socket.next(({ type, conversation }) => type === 'conversation.created' && conversation.id === room);
    await ada.say(room, 'welcome');
    await socket.next(({ message }) => message?.content === 'welcome');
    socket.close();
  }, 60_000);
});

interface Said {
  nonce: string | null;
}
