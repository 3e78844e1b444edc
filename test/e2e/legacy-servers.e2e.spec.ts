import { v7 as uuidv7 } from 'uuid';
import { call, openSocket, type Person, person } from '../support/people.js';
import { runApp, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

describe('a client of the old community server', () => {
  let database: TestDatabase;
  let app: RunningApp;
  let ada: Person;
  let bob: Person;
  let eve: Person;
  let server: string;
  let channel: string;
  let messages: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    app = await runApp({ DATABASE_URL: database.url, RATE_LIMIT: 'off', LOG_LEVEL: 'trace' });
    ada = await person(app.url, 'ada');
    bob = await person(app.url, 'bob');
    eve = await person(app.url, 'eve');
    server = (await ada.old('POST', '/chat/servers', { name: 'Engines', icon: '⚙️' })).body.id;
    channel = (await ada.old('POST', `/chat/servers/${server}/channels`, { name: 'talk', type: 'text' })).body.id;
    messages = `/chat/servers/${server}/channels/${channel}/messages`;
  }, 60_000);

  afterAll(async () => {
    await app.stop();
    await database.drop();
  }, 60_000);

  it('lists its servers and their channels in order, as plain arrays', async () => {
    const servers = (await ada.old('GET', '/chat/servers')).body;
    expect(servers).toEqual([
      { id: server, name: 'Engines', icon: null, role: 'ADMIN', created_at: expect.stringMatching(/Z$/) },
    ]);
    await ada.old('POST', `/chat/servers/${server}/channels`, { name: 'voice', type: 'VOICE' });
    const channels = (await ada.old('GET', `/chat/servers/${server}/channels`)).body as Record<string, unknown>[];
    expect(channels.map(({ name, type, position }) => [name, type, position])).toEqual([
      ['general', 'TEXT', 0],
      ['talk', 'TEXT', 1],
      ['voice', 'VOICE', 2],
    ]);
    expect((await eve.old('GET', '/chat/servers')).body).toEqual([]);
  });

  it('adds and removes members, by either name of the field', async () => {
    const members = `/chat/servers/${server}/members`;
    const added = await ada.old('POST', members, { user_id: bob.id });
    expect([added.status, added.body]).toEqual([
      201,
      { server_id: server, user_id: bob.id, username: bob.name, role: 'MEMBER', joined_at: expect.any(String) },
    ]);
    expect((await ada.old('POST', members, { userId: eve.id, role: 'moderator' })).body.role).toBe('MODERATOR');
    expect((await bob.old('GET', '/chat/servers')).body[0].role).toBe('MEMBER');
    expect((await ada.old('DELETE', `${members}/${eve.id}`)).body).toEqual({ ok: true });
    expect((await eve.old('GET', `/chat/servers/${server}/channels`)).status).toBe(404);
  });

  it('sends and reads, newest first by offset and in order of time within a page', async () => {
    const sent = await bob.old('POST', messages, { text: 'message 1' });
    expect([sent.status, sent.body]).toEqual([
      201,
      {
        ...{ id: expect.any(String), serverId: server, channelId: channel, user: bob.name, text: 'message 1' },
        ...{ timestamp: expect.stringMatching(/^\d{1,2}:\d\d [AP]M$/), server_id: server, channel_id: channel },
        ...{ user_id: bob.id, content: 'message 1', created_at: expect.stringMatching(/Z$/) },
      },
    ]);
    for (let n = 2; n <= 12; n += 1) await ada.old('POST', messages, { content: `message ${n}` });
    const page = async (query: string) =>
      ((await bob.old('GET', `${messages}${query}`)).body as { text: string }[]).map(({ text }) =>
        Number(text.split(' ')[1]),
      );
    expect(await page('')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(await page('?limit=5')).toEqual([8, 9, 10, 11, 12]);
    expect(await page('?limit=5&offset=5')).toEqual([3, 4, 5, 6, 7]);
    expect(await page('?limit=5&offset=10&sort=new')).toEqual([1, 2]);
    expect(await page('?limit=5&offset=12')).toEqual([]);
    expect(await page('?limit=500&offset=9007199254740991')).toEqual([]);
  });

  it('finds a deleted message in its place, without its text', async () => {
    const { id } = (await bob.old('POST', messages, { text: 'a slip' })).body;
    await bob.delete(`/conversations/${channel}/messages/${id}`);
    const [last] = (await ada.old('GET', `${messages}?limit=1`)).body;
    expect(last).toMatchObject({ id, text: '', content: '' });
  });

  it('is told of errors in the old shape: strangers, roles, wrong rooms, bad input', async () => {
    const elsewhere = (await ada.old('POST', '/chat/servers', { name: 'Elsewhere' })).body.id;
    const voice = (await ada.old('GET', `/chat/servers/${server}/channels`)).body[2].id;
    const at = `/chat/servers/${server}`;
    const refusals: [Person, string, string, object | string | undefined, number][] = [
      [eve, 'GET', `${at}/channels`, undefined, 404],
      [eve, 'GET', messages, undefined, 404],
      [eve, 'POST', messages, { text: 'hi' }, 404],
      [eve, 'DELETE', at, undefined, 404],
      [eve, 'POST', `${at}/members`, { user_id: eve.id }, 404],
      [bob, 'DELETE', at, undefined, 403],
      [bob, 'POST', `${at}/channels`, { name: 'mine' }, 403],
      [bob, 'POST', `${at}/members`, { user_id: eve.id }, 403],
      [bob, 'DELETE', `${at}/members/${ada.id}`, undefined, 403],
      [ada, 'GET', `/chat/servers/${elsewhere}/channels/${channel}/messages`, undefined, 404],
      [ada, 'POST', `/chat/servers/${elsewhere}/channels/${channel}/messages`, { text: 'hi' }, 404],
      [ada, 'POST', `${at}/channels/${voice}/messages`, { text: 'hi' }, 409],
      [ada, 'POST', `${at}/channels`, { name: 'talk' }, 409],
      [ada, 'POST', `${at}/channels`, { name: 'x', type: 'VIDEO' }, 400],
      [ada, 'POST', `${at}/members`, { user_id: uuidv7() }, 404],
      [ada, 'POST', '/chat/servers', {}, 400],
      [ada, 'POST', messages, { text: null }, 400],
      [ada, 'POST', messages, '[', 400],
      [ada, 'GET', `${messages}?limit=0`, undefined, 400],
      [ada, 'GET', `${messages}?offset=-1`, undefined, 400],
      [ada, 'GET', '/chat/servers/nonsense/channels', undefined, 404],
      [ada, 'GET', `/chat/servers/${uuidv7()}/nothing`, undefined, 404],
    ];
    for (const [who, method, path, body, status] of refusals) {
      const answer = await who.old(method, path, body);
      expect([method, path, answer.status, answer.body]).toEqual([
        method,
        path,
        status,
        { detail: expect.any(String) },
      ]);
      expect(answer.headers.get('deprecation')).toMatch(/^@\d+$/);
    }
    expect((await call(app.url, 'GET', '/chat/servers')).body).toEqual({ detail: expect.any(String) });
  });

  it('hears over the old socket what the new one says and the other way round, and REST of either', async () => {
    const [past, present] = [await openSocket(app.url, `/chat/ws?token=${bob.token}`), await ada.socket()];
    past.send({ type: 'send_message', serverId: server, channelId: channel, text: 'from the old socket' });
    await past.next((frame) => frame.text === 'from the old socket');
    await present.next((frame) => frame.message?.content === 'from the old socket');
    await present.ask({ type: 'message.send', conversationId: channel, content: 'from the new socket' });
    await past.next((frame) => frame.text === 'from the new socket');
    const { id } = (await ada.old('POST', messages, { text: 'from the old routes' })).body;
    const { type: _, ...frame } = await past.next((heard) => heard.id === id);
    const listed = (await bob.old('GET', `${messages}?limit=3`)).body as Record<string, unknown>[];
    expect(listed.map(({ text }) => text)).toEqual([
      'from the old socket',
      'from the new socket',
      'from the old routes',
    ]);
    expect(listed[2]).toMatchObject(frame);
    past.close();
    present.close();
  });

  it('hears nothing over the old socket of threads, which it does not know', async () => {
    const past = await openSocket(app.url, `/chat/ws?token=${bob.token}`);
    past.send({ type: 'send_message', serverId: server, channelId: channel, text: 'a thread hangs on this' });
    const { id } = await past.next((frame) => frame.text === 'a thread hangs on this');
    const thread = (await ada.post(`/conversations/${channel}/messages/${id}/thread`)).body;
    await ada.say(thread.id, 'in the thread');
    await ada.say(channel, 'in the channel');
    await past.next((frame) => frame.text === 'in the channel');
    expect(past.of('new_message').map(({ text }) => text)).toEqual(['a thread hangs on this', 'in the channel']);
    past.close();
  });

  it('may send fields over the old socket that nobody reads', async () => {
    const past = await openSocket(app.url, `/chat/ws?token=${bob.token}`);
    past.send({ type: 'send_message', serverId: server, channelId: channel, text: 'and more', user: bob.name });
    await past.next(({ type, text }) => type === 'error' || text === 'and more');
    expect(past.of('error')).toEqual([]);
    past.close();
  });

  it('leaves no token in any log line', () => {
    expect(app.output()).toContain('/chat/servers');
    expect([ada, bob, eve].filter(({ token }) => app.output().includes(token))).toEqual([]);
  });

  it('deletes its server, and with it all that was said', async () => {
    expect((await ada.old('DELETE', `/chat/servers/${server}`)).body).toEqual({ ok: true });
    expect((await bob.old('GET', messages)).status).toBe(404);
  });
});
