import { v7 as uuidv7 } from 'uuid';
import { administrator, type Person, person } from '../support/people.js';
import { runApp, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { Upstream } from '../support/upstream.js';

describe('a client of the old characters', () => {
  let database: TestDatabase;
  let app: RunningApp;
  let upstream: Upstream;
  let ada: Person;
  let eve: Person;
  let session: { id: string };

  beforeAll(async () => {
    database = await createTestDatabase();
    const env = { DATABASE_URL: database.url, RATE_LIMIT: 'off', OUTBOUND_ALLOWED_HOSTS: '127.0.0.1' };
    app = await runApp(env);
    upstream = await Upstream.start();
    [ada, eve] = [await person(app.url, 'ada'), await person(app.url, 'eve')];
    const root = await administrator(app.url, env);
    await root.post('/agents', { slug: 'oracle', name: 'Oracle', kind: 'webhook', url: upstream.url });
    await root.post('/agents', { slug: 'asleep', name: 'Asleep', kind: 'echo', enabled: false });
  }, 60_000);

  afterAll(async () => {
    await app.stop();
    await upstream.stop();
    await database.drop();
  }, 60_000);

  const talk = () => `/api/chat/sessions/${session.id}/messages`;

  it('finds or creates its one session with a character, however often and at once', async () => {
    expect((await ada.old('GET', '/api/chat/sessions')).body).toEqual([]);
    const opened = await Promise.all(
      Array.from({ length: 10 }, () => ada.old('POST', '/api/chat/sessions', { characterId: 'oracle' })),
    );
    expect(new Set(opened.map(({ body }) => body.id)).size).toBe(1);
    expect(opened.filter(({ status }) => status === 201)).toHaveLength(1);
    session = opened[0]?.body;
    const time = expect.stringMatching(/Z$/);
    expect(session).toEqual({
      ...{ id: session.id, characterId: 'oracle', userId: ada.id },
      ...{ createdAt: time, updatedAt: time },
    });
    const echo = (await ada.old('POST', '/api/chat/sessions', { characterId: 'echo' })).body;
    const listed = (await ada.old('GET', '/api/chat/sessions')).body as { id: string }[];
    expect(listed.map(({ id }) => id).sort()).toEqual([session.id, echo.id].sort());
    const hers = (await eve.old('POST', '/api/chat/sessions', { characterId: 'oracle' })).body;
    expect(hers.id).not.toBe(session.id);
  });

  it('is answered by the character, and reads both in order', async () => {
    upstream.says({ reply: 'Forty-two.' });
    const said = await ada.old('POST', talk(), { content: 'What is the answer?' });
    expect(said.status).toBe(201);
    const { reply, ...mine } = said.body;
    const common = { id: expect.any(String), sessionId: session.id, userId: ada.id, createdAt: expect.any(String) };
    expect(mine).toEqual({ ...common, role: 'user', content: 'What is the answer?' });
    expect(reply).toEqual({ ...common, role: 'agent', content: 'Forty-two.' });
    expect((await ada.old('GET', talk())).body).toEqual([mine, reply]);
    expect(upstream.received[0]?.body).toMatchObject({ chatInput: 'What is the answer?', userId: ada.id });
  });

  it('is told 502 where the character does not answer, and its message is kept', async () => {
    upstream.says({ error: 'no' }, 400);
    const said = await ada.old('POST', talk(), { content: 'Are you well?' });
    expect([said.status, said.body]).toEqual([502, { error: expect.any(String), message: expect.any(String) }]);
    const kept = (await ada.old('GET', talk())).body as { content: string }[];
    expect(kept.at(-1)?.content).toBe('Are you well?');
  });

  it('cannot reach the session of somebody else by any route: it does not exist to them', async () => {
    for (const [method, body] of [['GET'], ['POST', { content: 'hi', userId: ada.id }], ['DELETE']] as const) {
      const { status, body: said } = await eve.old(method, talk(), body);
      expect([method, status, said]).toEqual([method, 404, { error: expect.any(String), message: expect.any(String) }]);
    }
    expect((await ada.old('GET', talk())).body).toHaveLength(3);
  });

  it('clears a session', async () => {
    expect((await ada.old('DELETE', talk())).status).toBe(200);
    expect((await ada.old('GET', talk())).body).toEqual([]);
  });

  it('is told of other errors in the old shape', async () => {
    const asleep = (await ada.old('POST', '/api/chat/sessions', { characterId: 'asleep' })).body;
    const peer = (await ada.post('/sessions', { type: 'peer' })).body;
    const refusals: [string, string, object | undefined, number][] = [
      ['POST', '/api/chat/sessions', { characterId: 'nobody' }, 404],
      ['POST', '/api/chat/sessions', { characterId: uuidv7() }, 404],
      ['POST', '/api/chat/sessions', {}, 400],
      ['POST', '/api/chat/sessions', { characterId: { $gt: '' } }, 400],
      ['POST', talk(), { content: '' }, 400],
      ['GET', `/api/chat/sessions/${uuidv7()}/messages`, undefined, 404],
      ['GET', `/api/chat/sessions/${peer.id}/messages`, undefined, 404],
      ['POST', `/api/chat/sessions/${asleep.id}/messages`, { content: 'hi' }, 409],
    ];
    for (const [method, path, body, status] of refusals) {
      const answer = await ada.old(method, path, body);
      const shape = { error: expect.any(String), message: expect.any(String) };
      expect([method, path, answer.status, answer.body]).toEqual([method, path, status, shape]);
      expect(answer.headers.get('deprecation')).toMatch(/^@\d+$/);
    }
    expect((await ada.old('GET', `/api/chat/sessions/${asleep.id}/messages`)).body).toHaveLength(1);
  });
});
