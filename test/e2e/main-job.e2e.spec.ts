import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openSocket, type Person, person, serverOf, signedInAgain } from '../support/people.js';
import { runApp, runCommand, type RunningApp } from '../support/run-app.js';

/** The embedded PostgreSQL, as a newcomer runs it: no other database is given. */
describe('two people and an agent talk, and everything is still there tomorrow', () => {
  let dataDir: string;
  let app: RunningApp;
  let ada: Person;
  let bob: Person;
  let server: { id: string; general: string };
  const start = () => runApp({ DATA_DIR: dataDir, RATE_LIMIT: 'off' });

  beforeAll(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'parley main job '));
    app = await start();
    ada = await person(app.url, 'ada');
    bob = await person(app.url, 'bob');
    server = await serverOf(ada, bob);
  }, 60_000);

  afterAll(async () => {
    await app.stop();
    await rm(dataDir, { recursive: true, force: true });
  }, 60_000);

  it('says where it is and what to try next', () => {
    expect(app.output()).toContain(`http://127.0.0.1:${app.port}/api/v1`);
    expect(app.output()).toContain(`ws://127.0.0.1:${app.port}/api/v1/realtime`);
    expect(app.output()).toContain('curl');
  });

  it('lets one hear what the other sends, over the socket and over REST, in one order', async () => {
    const [hers, his] = await Promise.all([ada.socket(), bob.socket()]);
    const ack = await hers.ask({ type: 'message.send', conversationId: server.general, content: 'Hello, Bob' });
    expect(ack).toMatchObject({ type: 'ack', message: { content: 'Hello, Bob', seq: 1, rev: 1, role: 'user' } });
    expect(await his.next('message.created')).toMatchObject({
      conversationId: server.general,
      rev: 1,
      message: { seq: 1, content: 'Hello, Bob', author: { id: ada.id, username: ada.name } },
    });
    const sent = await bob.say(server.general, 'Hello, Ada');
    expect(await hers.next((frame) => frame.message?.id === sent.id)).toMatchObject({ rev: 2, message: sent });
    hers.close();
    his.close();
  });

  it('does not exist to a stranger', async () => {
    const eve = await person(app.url, 'eve');
    expect((await eve.get(`/conversations/${server.general}/messages`)).status).toBe(404);
    expect((await eve.get(`/servers/${server.id}`)).status).toBe(404);
    expect((await eve.post(`/conversations/${server.general}/messages`, { content: 'hi' })).status).toBe(404);
  });

  it('lets an old client speak and hear in the same channel', async () => {
    const old = await openSocket(app.url, `/chat/ws?token=${bob.token}`);
    const hers = await ada.socket();
    old.send({ type: 'send_message', serverId: server.id, channelId: server.general, text: 'from the past' });
    const echoed = await old.next('new_message');
    expect(echoed).toMatchObject({
      user: bob.name,
      text: 'from the past',
      serverId: server.id,
      channelId: server.general,
    });
    expect(echoed.timestamp).toMatch(/^\d{1,2}:\d\d [AP]M$/);
    expect((await hers.next('message.created')).message.content).toBe('from the past');
    await ada.say(server.general, 'from the present');
    await old.next((frame) => frame.text === 'from the present');
    expect(app.output()).not.toContain(bob.token);
    old.close();
    hers.close();
  });

  it('lets the echo agent answer, and stores the answer', async () => {
    const socket = await ada.socket();
    const agents = await ada.get('/agents');
    const echo = agents.body.items.find(({ slug }: { slug: string }) => slug === 'echo');
    const session = (await ada.put(`/sessions/by-agent/${echo.id}`)).body;
    await ada.say(session.id, 'Is anybody there?');
    const answer = await socket.next((frame) => frame.message?.role === 'agent');
    expect(answer.message).toMatchObject({ content: 'Is anybody there?', author: { id: echo.id, kind: 'agent' } });
    const history = (await ada.get(`/conversations/${session.id}/messages`)).body.items;
    expect(history.map(({ role }: { role: string }) => role)).toEqual(['user', 'agent']);
    socket.close();
  });

  it('has the same history after a stop and a start', async () => {
    const before = await ada.get(`/conversations/${server.general}/messages`);
    expect(await app.stop()).toEqual({ code: 0, signal: null });
    app = await start();
    ada = await signedInAgain(ada, app.url);
    bob = await signedInAgain(bob, app.url);
    expect((await ada.get(`/conversations/${server.general}/messages`)).body).toEqual(before.body);
  }, 60_000);

  it('refuses a second app on its data folder, and says so', async () => {
    const second = await runCommand(['dist/src/main.js'], { DATA_DIR: dataDir, PORT: '0' });
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/another|already|in use/i);
    expect(second.stderr).not.toMatch(/^\s+at /m);
  }, 60_000);

  it('keeps every acknowledged message when it is killed in a burst, with its database or without', async () => {
    for (const alsoPostgres of [false, true]) {
      const socket = await ada.socket();
      const acked: string[] = [];
      for (let i = 0; i < 300; i += 1) {
        void socket
          .ask({
            type: 'message.send',
            conversationId: server.general,
            content: `burst ${i}`,
            nonce: `b${alsoPostgres}${i}`,
          })
          .then(({ message }) => acked.push(message.id))
          .catch(() => undefined);
      }
      await socket.next('ack');
      const postmaster = Number(readFileSync(path.join(dataDir, 'postgres/postmaster.pid'), 'utf8').split('\n')[0]);
      if (alsoPostgres) process.kill(postmaster, 'SIGKILL');
      await app.kill('SIGKILL');
      await socket.closed;
      app = await start();
      ada = await signedInAgain(ada, app.url);
      const stored = await everyId(ada, server.general);
      expect(acked.length).toBeGreaterThan(0);
      expect(acked.filter((id) => stored.filter((each) => each === id).length !== 1)).toEqual([]);
    }
  }, 90_000);

  it('starts by itself over a stale lock file that names a living stranger', async () => {
    await app.stop();
    writeFileSync(path.join(dataDir, 'postgres/postmaster.pid'), `${process.pid}\n/nowhere\n1\n5432\n`);
    app = await start();
    ada = await signedInAgain(ada, app.url);
    expect((await everyId(ada, server.general)).length).toBeGreaterThan(0);
  }, 60_000);
});

async function everyId(reader: Person, conversationId: string): Promise<string[]> {
  const ids: string[] = [];
  for (let after = 0; ;) {
    const { body } = await reader.get(`/conversations/${conversationId}/messages?after=${after}&limit=100`);
    ids.push(...body.items.map(({ id }: { id: string }) => id));
    expect(body.items.map(({ seq }: { seq: number }) => seq)).toEqual(
      body.items.map((_: unknown, i: number) => after + 1 + i),
    );
    if (body.nextCursor === null) return ids;
    after = body.items.at(-1).seq;
  }
}
