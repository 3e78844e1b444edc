import { LegacyHouse } from '../support/legacy-commands.js';
import { communityServers, conversations, day, mongoFolder, oid, OPEN_SESAME } from '../support/old-stores.js';
import { administrator, call, openSocket, Person, person } from '../support/people.js';
import { runApp, runCommand, type RunningApp } from '../support/run-app.js';
import { createEmptyDatabase, type TestDatabase } from '../support/test-database.js';
import { delta, Upstream, usage } from '../support/upstream.js';

const ADMIN = 'dist/src/operations/cli/admin.js';
const PASSWORD = 'open sesame';

describe('people who came over, with the clients that they had', () => {
  let house: LegacyHouse;
  let app: RunningApp;
  let upstream: Upstream;
  let root: Person;

  beforeAll(async () => {
    house = await LegacyHouse.open();
    const env = { DATABASE_URL: house.database.url, RATE_LIMIT: 'off', OUTBOUND_ALLOWED_HOSTS: '127.0.0.1' };
    app = await runApp(env);
    upstream = await Upstream.start();
    root = await administrator(app.url, env);
  }, 90_000);

  afterAll(async () => {
    await app.stop();
    await upstream.stop();
    await house.close();
  }, 60_000);

  /** By the new route and by the old one: both know the person, by the password of before. */
  async function signIn(login: string, password = PASSWORD): Promise<Person> {
    const now = await call(app.url, 'POST', '/api/v1/auth/login', { login, password });
    const before = await call(app.url, 'POST', '/login', { username: login, password });
    expect([now.status, before.status, before.body.user.id]).toEqual([200, 200, now.body.user.id]);
    expect((await call(app.url, 'POST', '/login', { username: login, password: 'close sesame' })).status).toBe(401);
    return new Person(app.url, before.body.user.username, password, before.body.user.id, before.body.accessToken);
  }

  const contents = (items: { content: string }[]) => items.map(({ content }) => content);
  const newPage = async (who: Person, room: string) =>
    (await who.get(`/conversations/${room}/messages?after=0&limit=100`)).body.items;

  describe('from the characters', () => {
    const old = `/api/chat/sessions/${oid(1).$oid}/messages`;
    let alice: Person;
    let session: { id: string };

    beforeAll(async () => {
      const folder = await mongoFolder(
        house.path('characters'),
        [{ _id: oid(1), characterId: 'merlin', userId: oid(0xa1).$oid, createdAt: day(1), updatedAt: day(3) }],
        [
          { _id: oid(12), sessionId: oid(1), sender: 'character', content: 'Good morrow.', createdAt: day(3) },
          { _id: oid(11), sessionId: oid(1), userId: oid(0xa1).$oid, role: 'user', content: 'Hi', createdAt: day(2) },
        ],
        [{ _id: oid(0xa1), username: 'alice', email: 'alice@example.org', password: OPEN_SESAME.bcrypt, __v: 0 }],
      );
      await house.carried('characters', folder);
      alice = await signIn('alice');
    }, 60_000);

    it('find their session and what was said in it by old ids and by new', async () => {
      const sessions = (await alice.old('GET', '/api/chat/sessions')).body;
      [session] = sessions;
      const times = { createdAt: day(1).$date, updatedAt: day(3).$date };
      expect(sessions).toEqual([{ id: session.id, characterId: 'merlin', userId: alice.id, ...times }]);
      const { body: said } = await alice.old('GET', old);
      expect(said).toMatchObject([
        { sessionId: session.id, userId: alice.id, role: 'user', content: 'Hi', createdAt: day(2).$date },
        { sessionId: session.id, role: 'agent', content: 'Good morrow.', createdAt: day(3).$date },
      ]);
      expect((await alice.get('/sessions')).body.items).toMatchObject([{ id: session.id, externalId: oid(1).$oid }]);
      const now = await newPage(alice, session.id);
      expect(now.map(({ id }: any) => id)).toEqual(said.map(({ id }: any) => id));
      expect(now).toMatchObject([
        { seq: 1, author: { id: alice.id } },
        { seq: 2, author: { name: 'merlin', kind: 'agent' } },
      ]);
      const opened = await alice.old('POST', '/api/chat/sessions', { characterId: 'merlin' });
      expect([opened.status, opened.body.id]).toEqual([200, session.id]);
    });

    it('are answered once an administrator says who does, and both clients hear everything', async () => {
      expect((await alice.old('POST', old, { content: 'Are you there?' })).status).toBe(409);
      const agents = (await root.get('/agents?limit=100')).body.items as { id: string; slug: string }[];
      const merlin = agents.find(({ slug }) => slug === 'merlin')?.id;
      const change = { kind: 'webhook', url: upstream.url, enabled: true };
      expect((await root.patch(`/agents/${merlin}`, change)).status).toBe(200);
      upstream.says({ reply: 'Always.' });
      const socket = await alice.socket();
      const { status, body } = await alice.old('POST', old, { content: 'And now?' });
      expect([status, body.reply.content]).toEqual([201, 'Always.']);
      await socket.next((frame) => frame.message?.content === 'And now?');
      await socket.next((frame) => frame.message?.content === 'Always.');
      await alice.say(session.id, 'From the new one');
      await socket.next((frame) => frame.message?.seq === 7);
      socket.close();
      const all = ['Hi', 'Good morrow.', 'Are you there?', 'And now?', 'Always.', 'From the new one', 'Always.'];
      expect(contents((await alice.old('GET', old)).body)).toEqual(all);
      expect(contents(await newPage(alice, session.id))).toEqual(all);
    });
  });

  describe('from the agent and peer chat', () => {
    const [cleoId, carlId] = [oid(0xc1).$oid, oid(0xc2).$oid];
    let cleo: Person;
    let carl: Person;

    beforeAll(async () => {
      const peer = { sessionId: 'peer-1-abc', userId: cleoId, peerAdvocateId: carlId, source: 'peer' };
      const folder = await mongoFolder(
        house.path('peer'),
        [
          { ...peer, source: undefined, _id: oid(21), type: 'peer', status: 'open', createdAt: day(1) },
          { _id: oid(22), sessionId: 'mine', userId: cleoId, type: 'agent', status: 'open', createdAt: day(1) },
        ],
        [
          { ...peer, _id: oid(31), role: 'user', content: 'Help', createdAt: day(2), readAt: day(3) },
          { ...peer, _id: oid(32), role: 'peer', content: 'Here', createdAt: day(4) },
          { ...peer, _id: oid(34), role: 'user', source: 'agent', content: 'To the bot', createdAt: day(1) },
          { _id: oid(33), sessionId: 'mine', role: 'user', source: 'agent', content: 'Hello', createdAt: day(5) },
          {
            ...{ _id: oid(35), sessionId: 'mine', userId: cleoId, role: 'agent', source: 'agent', content: 'Hi' },
            ...{ createdAt: day(6), readAt: day(7) },
          },
        ],
        [
          { _id: oid(0xc1), email: 'cleo@example.org', name: 'Cleo', passwordHash: OPEN_SESAME.bcrypt },
          { _id: oid(0xc2), username: 'carl', password: OPEN_SESAME.scrypt },
        ],
      );
      await house.carried('peer-chat', folder);
      cleo = await signIn('cleo@example.org');
      carl = await signIn('carl');
    }, 60_000);

    it('find their sessions on both sides, under the names and with the read times of before', async () => {
      const mine = (await cleo.old('GET', `/api/chat/sessions?userId=${cleoId}`)).body.sessions;
      expect(mine).toMatchObject([
        { sessionId: 'mine', type: 'agent', lastMessageAt: day(6).$date },
        { sessionId: 'peer-1-abc', type: 'peer', peerAdvocateId: carl.id, lastMessageAt: day(4).$date },
      ]);
      const his = (await carl.old('GET', `/api/chat/sessions?peerAdvocateId=${carlId}`)).body.sessions;
      expect(his).toEqual([mine[1]]);
      const { messages } = (await cleo.old('GET', `/api/chat/peer-1-abc/messages?userId=${cleoId}`)).body;
      expect(messages).toMatchObject([
        { role: 'user', source: 'agent', userId: cleo.id, content: 'To the bot', createdAt: day(1).$date },
        { role: 'user', source: 'peer', userId: cleo.id, content: 'Help', readAt: day(3).$date },
        { role: 'peer', source: 'peer', peerAdvocateId: carl.id, content: 'Here', readAt: null },
      ]);
      const answered = (await cleo.old('GET', '/api/chat/mine/messages')).body.messages;
      expect(answered).toMatchObject([
        { role: 'user', source: 'agent', readAt: null },
        { role: 'agent', source: 'agent', userId: cleo.id, content: 'Hi', readAt: day(7).$date },
      ]);
      const [session] = (await cleo.get('/sessions?type=peer')).body.items;
      const [, now, last] = await newPage(carl, session.id);
      expect([now, last]).toMatchObject([
        { readAt: day(3).$date, author: { id: cleo.id } },
        { author: { id: carl.id } },
      ]);
    });

    it('write on, one side with the old client and the other with the new', async () => {
      const [{ id }] = (await cleo.get('/sessions?type=peer')).body.items;
      const socket = await carl.socket();
      const say = { content: 'Still there?', from: 'user' };
      expect((await cleo.old('POST', '/api/peer-chat/peer-1-abc/message', say)).status).toBe(200);
      await socket.next((frame) => frame.message?.content === 'Still there?');
      await socket.ask({ type: 'message.send', conversationId: id, content: 'Always' });
      socket.close();
      const { messages } = (await cleo.old('GET', '/api/chat/peer-1-abc/messages')).body;
      expect(contents(messages)).toEqual(['To the bot', 'Help', 'Here', 'Still there?', 'Always']);
      expect(contents(await newPage(cleo, id))).toEqual(contents(messages));
    });

    it('are answered by the webhook in a session of before', async () => {
      await root.post('/agents', { slug: 'a-webhook', name: 'n8n', kind: 'webhook', url: upstream.url });
      upstream.says({ output: 'Welcome back' });
      const asked = { chatInput: 'Do you know me?', sessionId: 'mine', userId: cleoId };
      expect((await cleo.old('POST', '/api/chat', asked)).body).toMatchObject({ ok: true, reply: 'Welcome back' });
      const [session] = (await cleo.get('/sessions?type=agent')).body.items;
      expect(contents(await newPage(cleo, session.id))).toEqual(['Hello', 'Hi', 'Do you know me?', 'Welcome back']);
    });
  });

  describe('from a peer chat that did not say whose it is', () => {
    it('learn whose it is once it is handed over, also where they had read all of it', async () => {
      const folder = await mongoFolder(
        house.path('nobodys'),
        [{ _id: oid(41), sessionId: 'nobodys', peerAdvocateId: oid(0xc3).$oid, type: 'peer', status: 'open' }],
        [{ _id: oid(42), sessionId: 'nobodys', role: 'user', source: 'peer', content: 'Who am I?', createdAt: day(2) }],
        [{ _id: oid(0xc3), username: 'hugo', password: OPEN_SESAME.scrypt }],
      );
      const id = await house.carried('peer-chat', folder, '--label', 'second');
      const [hugo, gwen] = [await signIn('hugo'), await person(app.url, 'gwen')];
      const [{ id: room }] = (await hugo.get('/sessions?type=peer')).body.items;
      const { rev } = (await hugo.get(`/conversations/${room}`)).body;
      const changes = async () => (await hugo.get(`/conversations/${room}/changes?after=${rev}`)).body;
      expect(await changes()).toMatchObject({ items: [], reset: false });
      const assigned = await house.legacy('assign', id, '--to', gwen.name);
      expect([assigned.stderr, assigned.stdout]).toEqual(['', `handed 1 sessions and 1 messages to ${gwen.name}\n`]);
      expect(await changes()).toMatchObject({ reset: true });
      expect(await newPage(hugo, room)).toMatchObject([{ content: 'Who am I?', author: { id: gwen.id } }]);
      expect((await house.legacy('revert', id)).stdout).toContain(`reverted ${id}`);
    });
  });

  describe('from the conversations', () => {
    it('go on in them under the account they were given to, the model knowing all that was said', async () => {
      const account = { username: 'dora', email: 'dora@example.org', password: 'a password of dora' };
      expect((await call(app.url, 'POST', '/register', account)).status).toBe(201);
      await house.carried('conversations', conversations(house.path('own.db')), '--owner', 'dora');
      const dora = await signIn('dora', account.password);
      const [session] = (await dora.get('/sessions')).body.items;
      expect(session).toMatchObject({ title: 'Migrated Conversation', externalId: 'c-1' });
      expect(await newPage(dora, session.id)).toMatchObject([
        { content: 'Hi!', role: 'user', author: { id: dora.id }, metadata: { legacy: 'not { json' } },
        { content: 'Hello.', role: 'agent', tokensUsed: 12, metadata: { model: 'gpt', at: [1] } },
        { content: 'Bye.', role: 'system' },
      ]);
      await root.post('/agents', { slug: 'a-model', name: 'Model', kind: 'openai', url: upstream.url, model: 'small' });
      await dora.post('/users/me/credentials', { provider: 'openai', label: 'mine', key: 'sk-of-dora' });
      upstream.streams([delta('Welcome back'), usage(7)]);
      const socket = await dora.socket();
      const asked = await dora.old('POST', '/chat', { message: 'Me again', conversation_id: 'c-1' });
      expect(asked.body).toEqual({ response: 'Welcome back', conversation_id: 'c-1', tokens_used: 7 });
      await socket.next((frame) => frame.message?.content === 'Me again');
      const sent = upstream.received[0]?.body.messages as { content: string }[];
      expect(contents(sent).slice(-3)).toEqual(['Hi!', 'Hello.', 'Me again']);
      upstream.streams([delta('Aye'), usage(3)]);
      await dora.say(session.id, 'From the new one');
      await socket.next((frame) => frame.message?.content === 'Aye');
      socket.close();
      upstream.streams([delta('Yes'), usage(3)]);
      await dora.old('POST', '/chat', { message: 'Did you hear?', conversation_id: 'c-1' });
      const heard = contents(upstream.received[0]?.body.messages as { content: string }[]);
      expect(heard.slice(-3)).toEqual(['From the new one', 'Aye', 'Did you hear?']);
    }, 60_000);

    it('sign in to the account of those without one after an administrator resets its password', async () => {
      const file = conversations(
        house.path('attic.db'),
        `UPDATE conversations SET id = 'c-9', title = 'Attic'; UPDATE messages SET conversation_id = 'c-9', id = 'x' || id`,
      );
      await house.carried('conversations', file, '--label', 'attic');
      const env = { DATABASE_URL: house.database.url };
      const { stdout } = await runCommand([ADMIN, 'user:reset-password', 'migrated_user'], env);
      const token = /"token": "([^"]+)"/.exec(stdout)?.[1];
      await call(app.url, 'POST', '/api/v1/auth/password/reset', { token, newPassword: 'the attic has a door' });
      const found = await signIn('migrated_user', 'the attic has a door');
      expect((await found.get('/sessions')).body.items).toMatchObject([{ title: 'Attic', externalId: 'c-9' }]);
    }, 60_000);
  });

  describe('from the community servers', () => {
    const [oldServer, oldChannel] = ['00000000-0000-4000-8000-0000000000c1', '00000000-0000-4000-8000-0000000000d1'];
    const oldMessages = `/chat/servers/${oldServer}/channels/${oldChannel}/messages`;
    let old: TestDatabase;
    let ada: Person;
    let server: { id: string };
    let general: { id: string };

    beforeAll(async () => {
      old = await createEmptyDatabase();
      await communityServers(
        old.url,
        `UPDATE chatmessage SET content = 'ask @bob or @nobody' WHERE content = 'message 8'`,
      );
      await house.carried('servers', old.url);
      ada = await signIn('ada');
    }, 60_000);
    afterAll(() => old.drop());

    it('find server, channels and messages by old ids and by new, in the old order', async () => {
      [server] = (await ada.old('GET', '/chat/servers')).body;
      expect(server).toMatchObject({ name: 'Home', role: 'ADMIN', created_at: '2024-01-01T10:00:00.000Z' });
      const channels = (await ada.old('GET', `/chat/servers/${oldServer}/channels`)).body;
      expect(channels.map(({ type }: any) => type)).toEqual(['TEXT', 'TEXT', 'VOICE']);
      [general] = channels;
      const texts = async (query: string) =>
        (await ada.old('GET', `${oldMessages}${query}`)).body.map(({ text }: any) => text);
      expect(await texts('?limit=2')).toEqual(['message 4999', 'message 5000']);
      expect(await texts('?limit=2&offset=4998')).toEqual(['message 1', 'message 2']);
      expect((await ada.get('/servers')).body.items).toMatchObject([{ id: server.id, name: 'Home' }]);
      const [first] = await newPage(ada, general.id);
      expect(first).toMatchObject({ seq: 1, content: 'message 1', createdAt: '2024-01-15T10:30:01.500Z' });
      const { unread, mentions } = (await ada.get(`/conversations`)).body.items.find(
        ({ id }: any) => id === general.id,
      );
      expect({ unread, mentions }).toEqual({ unread: 0, mentions: 0 });
    });

    it('are mentioned where they were named, as far as they are members', async () => {
      const members = (await ada.get(`/servers/${server.id}/members`)).body.items as {
        user: { id: string; username: string };
      }[];
      const bob = members.find(({ user }) => user.username === 'bob')?.user.id;
      const [message] = (await ada.get(`/conversations/${general.id}/messages?after=7&limit=1`)).body.items;
      expect(message).toMatchObject({ content: 'ask @bob or @nobody', mentions: [bob] });
      expect(await house.rows(`SELECT seq::int FROM mentions WHERE user_id = $1`, [bob])).toEqual([{ seq: 8 }]);
    });

    it('hear each other over the old socket and the new, and are heard under ids of before', async () => {
      const eve = await person(app.url, 'eve');
      const added = await ada.old('POST', `/chat/servers/${oldServer}/members`, { user_id: eve.id });
      expect(added.status).toBe(201);
      const [past, present] = [await openSocket(app.url, `/chat/ws?token=${ada.token}`), await eve.socket()];
      past.send({ type: 'send_message', serverId: oldServer, channelId: oldChannel, text: 'by the old socket' });
      await present.next((frame) => frame.message?.content === 'by the old socket');
      const echoed = await past.next((frame) => frame.text === 'by the old socket');
      expect(echoed).toMatchObject({ type: 'new_message', user: 'ada', serverId: server.id, channelId: general.id });
      await present.ask({ type: 'message.send', conversationId: general.id, content: 'by the new socket' });
      expect(await past.next((frame) => frame.text === 'by the new socket')).toMatchObject({ user: eve.name });
      await ada.old('POST', oldMessages, { text: 'by the old route' });
      await present.next((frame) => frame.message?.content === 'by the old route');
      const elsewhere = (await ada.old('POST', '/chat/servers', { name: 'Elsewhere' })).body.id;
      past.send({ type: 'send_message', serverId: elsewhere, channelId: oldChannel, text: 'astray' });
      await past.next('error');
      past.close();
      present.close();
      const all = ['by the old socket', 'by the new socket', 'by the old route'];
      expect(contents((await ada.old('GET', `${oldMessages}?limit=3`)).body)).toEqual(all);
      const { body } = await eve.get(`/conversations/${general.id}/messages?after=5000`);
      expect(contents(body.items)).toEqual(all);
    });

    it('name a server and a channel on the old socket by whatever ids they had, as on the old routes', async () => {
      await house.rows(
        `INSERT INTO imported_ids (kind, external_id, scope, import_id, target_id)
         SELECT kind, 'the ' || kind, scope, import_id, target_id FROM imported_ids WHERE target_id = ANY($1)`,
        [[server.id, general.id]],
      );
      const [serverId, channelId] = ['the server', 'the conversation'];
      const routed = await ada.old('POST', `/chat/servers/${serverId}/channels/${channelId}/messages`, { text: 'one' });
      expect(routed.status).toBe(201);
      const past = await openSocket(app.url, `/chat/ws?token=${ada.token}`);
      past.send({ type: 'send_message', serverId, channelId, text: 'two' });
      await past.next(({ type, text }) => type === 'error' || text === 'two');
      expect(past.of('error')).toEqual([]);
      past.close();
    });
  });
});
