import { v7 as uuidv7 } from 'uuid';
import { administrator, call, type Person, person } from '../support/people.js';
import { runApp, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { Upstream } from '../support/upstream.js';

describe('a client of the old agent and peer chat', () => {
  let database: TestDatabase;
  let app: RunningApp;
  let upstream: Upstream;
  let ada: Person;
  let bob: Person;
  let eve: Person;
  let sessionId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    const env = { DATABASE_URL: database.url, RATE_LIMIT: 'off', OUTBOUND_ALLOWED_HOSTS: '127.0.0.1' };
    app = await runApp(env);
    upstream = await Upstream.start();
    ada = await person(app.url, 'ada');
    bob = await person(app.url, 'bob');
    eve = await person(app.url, 'eve');
    const root = await administrator(app.url, env);
    await root.patch(`/admin/users/${bob.id}`, { isAdvocate: true });
    await root.post('/agents', { slug: 'zz-n8n', name: 'n8n', kind: 'webhook', url: upstream.url });
  }, 60_000);

  afterAll(async () => {
    await app.stop();
    await upstream.stop();
    await database.drop();
  }, 60_000);

  const say = (who: Person, content: unknown, from: unknown, id = sessionId) =>
    who.old('POST', `/api/peer-chat/${id}/message`, { content, from });
  const history = (id = sessionId) => `/api/chat/${id}/messages`;

  describe('with an advocate', () => {
    it('starts a session under a name of the old form', async () => {
      const start = { userId: ada.id, peerAdvocateId: bob.id };
      const { status, body } = await ada.old('POST', '/api/peer-chat/start', start);
      expect([status, body]).toEqual([
        200,
        { ok: true, sessionId: expect.stringMatching(/^peer-\d+-\w+$/), peerAdvocateId: bob.id },
      ]);
      ({ sessionId } = body);
    });

    it('lets each side speak as itself and as nobody else', async () => {
      const hers = await say(ada, '  I need help ', 'user');
      expect([hers.status, hers.body.message]).toEqual([
        200,
        {
          ...{ _id: expect.any(String), sessionId, userId: ada.id, peerAdvocateId: null, role: 'user', source: 'peer' },
          ...{ content: 'I need help', createdAt: expect.any(String), readAt: null },
        },
      ]);
      const his = await say(bob, 'I am here', 'peer');
      expect(his.body.message).toMatchObject({ role: 'peer', source: 'peer', peerAdvocateId: bob.id, userId: ada.id });
      expect((await say(ada, 'I am the advocate', 'peer')).status).toBe(403);
      expect((await say(bob, 'I am the user', 'user')).status).toBe(403);
    });

    it('gives both sides the messages in order of time, with the session', async () => {
      const asAda = await ada.old('GET', `${history()}?userId=${ada.id}`);
      const asBob = await bob.old('GET', `${history()}?peerAdvocateId=${bob.id}`);
      expect(asAda.body.messages.map(({ role, content }: any) => [role, content])).toEqual([
        ['user', 'I need help'],
        ['peer', 'I am here'],
      ]);
      expect(asBob.body).toEqual(asAda.body);
      expect(asAda.body.ok).toBe(true);
      expect(asAda.body.session).toMatchObject({ sessionId, userId: ada.id, type: 'peer', status: 'open' });
      expect(asAda.body.session.lastMessageAt).toBe(asAda.body.messages[1].createdAt);
    });

    it('keeps everybody else out, whoever they say they are, and nobody can be named', async () => {
      const naming = [
        `?userId=${eve.id}`,
        `?userId=${ada.id}`,
        `?peerAdvocateId=${bob.id}`,
        `?userId=${ada.id}&peerAdvocateId=${bob.id}`,
        `?userId[]=${ada.id}`,
        '',
      ];
      for (const query of naming) {
        const { status, body } = await eve.old('GET', history() + query);
        expect([query, status, body]).toEqual([query, 403, { ok: false, error: expect.any(String) }]);
      }
      expect((await say(eve, 'let me in', 'user')).status).toBe(403);
      expect((await ada.old('GET', `${history()}?userId=${bob.id}`)).status).toBe(403);
      expect((await eve.old('GET', `/api/chat/sessions?userId=${ada.id}`)).status).toBe(403);
      expect((await eve.old('GET', '/api/chat/sessions?type=peer')).body).toEqual({ ok: true, sessions: [] });
      expect((await eve.old('POST', '/api/peer-chat/start', { userId: ada.id })).status).toBe(403);
      const taken = { sessionId, message: 'let me in' };
      expect((await eve.old('POST', '/api/chat', taken)).status).toBe(403);
      expect((await ada.old('GET', history())).body.messages).toHaveLength(2);
    });

    it('takes an id for the session that has it, whatever somebody else calls theirs', async () => {
      const waiting = await ada.post('/sessions', { type: 'peer', title: 'For the next advocate' });
      const given = await ada.post('/sessions', { type: 'peer', advocateId: bob.id });
      for (const { id } of [waiting.body, given.body]) {
        const alike = await eve.post('/sessions', { type: 'peer', advocateId: bob.id, externalId: id });
        expect(alike.status).toBe(201);
      }
      expect((await say(bob, 'for ada alone', 'peer', waiting.body.id)).status).toBe(403);
      expect((await say(bob, 'for ada alone', 'peer', given.body.id)).status).toBe(200);
      const read = await bob.old('GET', history(given.body.id));
      expect([read.status, read.body.messages]).toMatchObject([200, [{ content: 'for ada alone', userId: ada.id }]]);
      expect((await eve.get('/search?q=alone')).body.items).toEqual([]);
      for (const { id } of (await eve.get('/sessions')).body.items) await eve.delete(`/sessions/${id}`);
      await Promise.all([waiting, given].map(({ body }) => ada.delete(`/sessions/${body.id}`)));
    });

    it('lists sessions with the latest message first, those of a side or a type', async () => {
      const { sessionId: second } = (await ada.old('POST', '/api/peer-chat/start', {})).body;
      const list = async (who: Person, query: string) =>
        ((await who.old('GET', `/api/chat/sessions?${query}`)).body.sessions as any[]).map((each) => each.sessionId);
      expect(await list(ada, `userId=${ada.id}`)).toEqual([second, sessionId]);
      await say(ada, 'again', 'user');
      expect(await list(ada, `userId=${ada.id}&type=peer`)).toEqual([sessionId, second]);
      expect(await list(ada, 'type=agent')).toEqual([]);
      expect(await list(bob, `peerAdvocateId=${bob.id}`)).toEqual([sessionId]);
      expect(await list(bob, `userId=${bob.id}`)).toEqual([]);
      const [session] = (await ada.old('GET', `/api/chat/sessions?userId=${ada.id}`)).body.sessions;
      const time = expect.stringMatching(/Z$/);
      expect(session).toEqual({
        ...{ sessionId, userId: ada.id, type: 'peer', status: 'open', peerAdvocateId: bob.id },
        ...{ lastMessageAt: time, createdAt: time, updatedAt: time },
      });
    });

    it('is told of errors in the old words and shape', async () => {
      const said = async (answer: Promise<{ status: number; body: unknown }>) => {
        const { status, body } = await answer;
        return [status, body];
      };
      const refused = (status: number, error: unknown = expect.any(String)) => [status, { ok: false, error }];
      expect(await said(say(ada, '   ', 'user'))).toEqual(refused(400, 'Message content is required'));
      expect(await said(say(ada, ['x'], 'user'))).toEqual(refused(400, 'Message content is required'));
      expect(await said(say(ada, 'x'.repeat(20_001), 'user'))).toEqual(refused(400));
      expect(await said(say(ada, 'x', 'agent'))).toEqual(
        refused(400, "Invalid 'from' value. Must be 'user' or 'peer'"),
      );
      expect(await said(say(ada, 'x', 'user', 'peer-1-nothing'))).toEqual(refused(404, 'Session not found'));
      expect(await said(ada.old('GET', history(uuidv7())))).toEqual(refused(404, 'Session not found'));
      const advocates = { peerAdvocateId: eve.id };
      expect(await said(ada.old('POST', '/api/peer-chat/start', advocates))).toEqual(refused(400));
      expect(await said(call(app.url, 'GET', history()))).toEqual(refused(401));
      expect(await said(ada.old('POST', '/api/peer-chat/start', '{'))).toEqual(refused(400));
      expect(await said(ada.old('GET', '/api/chat/nothing'))).toEqual(refused(404));
      const session = (await ada.get('/sessions?type=peer')).body.items.find(
        (each: any) => each.externalId === sessionId,
      );
      await ada.patch(`/sessions/${session.id}`, { status: 'closed' });
      expect(await said(say(ada, 'late', 'user'))).toEqual(refused(409));
    });
  });

  describe('with an agent', () => {
    it('makes the session of a name on the first message and goes on in it', async () => {
      upstream.says([{ output: 'Hello, Ada' }]);
      const first = await ada.old('POST', '/api/chat', { chatInput: 'Hello', sessionId: 'mine', userId: ada.id });
      expect([first.status, first.body]).toEqual([200, { ok: true, reply: 'Hello, Ada', sessionId: 'mine' }]);
      expect(upstream.received[0]?.body).toMatchObject({ chatInput: 'Hello', userId: ada.id, agent: 'zz-n8n' });
      const meta = { userId: ada.id, plan: 'free' };
      await ada.old('POST', '/api/chat', { message: 'Again', sessionId: 'mine', userMeta: meta });
      const { messages, session } = (await ada.old('GET', `${history('mine')}?userId=${ada.id}`)).body;
      expect(session).toMatchObject({ sessionId: 'mine', type: 'agent', peerAdvocateId: null });
      expect(messages.map(({ role, source, content }: any) => [role, source, content])).toEqual([
        ['user', 'agent', 'Hello'],
        ['agent', 'agent', 'Hello, Ada'],
        ['user', 'agent', 'Again'],
        ['agent', 'agent', 'Hello, Ada'],
      ]);
      const peerOnly = await say(ada, 'x', 'user', 'mine');
      expect([peerOnly.status, peerOnly.body.error]).toEqual([400, 'This endpoint is only for peer chat sessions']);
    });

    it('makes one session where two first messages race, and a new one where no name is given', async () => {
      upstream.says({ text: 'yes' });
      await Promise.all(
        Array.from({ length: 4 }, (_, n) => ada.old('POST', '/api/chat', { message: `${n}`, sessionId: 1732180 })),
      );
      const raced = (await ada.old('GET', history('1732180'))).body.messages as { role: string }[];
      expect(raced.filter(({ role }) => role === 'user')).toHaveLength(4);
      const fresh = (await ada.old('POST', '/api/chat', { message: 'nameless' })).body;
      expect((await ada.old('GET', history(fresh.sessionId))).body.messages).toHaveLength(2);
    });

    it('is told 502 where the webhook fails, and the message is kept', async () => {
      upstream.says({ error: 'down' }, 400);
      const { status, body } = await ada.old('POST', '/api/chat', { message: 'Is it up?', sessionId: 'broken' });
      expect([status, body]).toEqual([502, { ok: false, error: expect.any(String) }]);
      const { messages } = (await ada.old('GET', history('broken'))).body;
      expect(messages).toEqual([expect.objectContaining({ role: 'user', content: 'Is it up?' })]);
    });

    it('takes nobody else by name, and no session of somebody else', async () => {
      for (const body of [
        { message: 'x', sessionId: 'mine' },
        { message: 'x', userId: ada.id },
        { message: 'x', userMeta: { userId: ada.id } },
      ]) {
        const answer = await eve.old('POST', '/api/chat', body);
        expect([body, answer.status, answer.body]).toEqual([body, 403, { ok: false, error: expect.any(String) }]);
      }
      expect((await eve.old('POST', '/api/chat', { sessionId: 'x' })).status).toBe(400);
      expect((await ada.old('GET', history('mine'))).body.messages).toHaveLength(4);
    });
  });
});
