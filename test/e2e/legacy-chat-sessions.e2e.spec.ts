import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { call, type Person, person } from '../support/people.js';
import { runApp, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

describe('a client of the old chat sessions', () => {
  let database: TestDatabase;
  let app: RunningApp;
  let ada: Person;
  let eve: Person;
  let session: { id: string };

  beforeAll(async () => {
    database = await createTestDatabase();
    app = await runApp({ DATABASE_URL: database.url });
    [ada, eve] = [await person(app.url, 'ada'), await person(app.url, 'eve')];
  }, 60_000);

  afterAll(async () => {
    await app.stop();
    await database.drop();
  }, 60_000);

  it('creates, lists and renames sessions in the old shape, as a plain array', async () => {
    expect((await ada.old('GET', '/chat_sessions')).body).toEqual([]);
    const created = await ada.old('POST', '/chat_sessions', { title: 'My Chat Session' });
    expect(created.status).toBe(201);
    expect(created.body).toEqual({
      id: expect.any(String),
      title: 'My Chat Session',
      owner_id: ada.id,
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      updated_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    session = created.body;
    const renamed = await ada.old('PUT', `/chat_sessions/${session.id}`, { title: 'New title' });
    expect([renamed.status, renamed.body.title]).toEqual([200, 'New title']);
    expect((await ada.old('GET', '/chat_sessions')).body).toEqual([renamed.body]);
    expect((await eve.old('GET', '/chat_sessions')).body).toEqual([]);
  });

  it('stores both sides as told, and nothing answers by itself', async () => {
    const path = `/chat_sessions/${session.id}/messages`;
    const asked = await ada.old('POST', path, { content: ' Hello! ', is_user_message: true });
    expect([asked.status, asked.body]).toEqual([
      201,
      {
        id: expect.any(String),
        content: 'Hello!',
        is_user_message: true,
        session_id: session.id,
        created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    ]);
    const answered = await ada.old('POST', path, { content: 'Hi there!', is_user_message: false });
    expect(answered.body.is_user_message).toBe(false);
    expect((await ada.old('GET', path)).body).toEqual([asked.body, answered.body]);

    const modern = await ada.get(`/conversations/${session.id}/messages`);
    const told = { role: 'agent', content: 'Hi there!', author: expect.objectContaining({ id: ada.id }) };
    expect(modern.body.items[1]).toMatchObject(told);
  });

  it('changes and deletes messages of either side, and a deleted one is gone from the list', async () => {
    const path = `/chat_sessions/${session.id}/messages`;
    const [mine, theirs] = (await ada.old('GET', path)).body;
    const changed = await ada.old('PUT', `${path}/${theirs.id}`, { content: 'Good day!' });
    expect([changed.status, changed.body]).toEqual([200, { ...theirs, content: 'Good day!' }]);
    const deleted = await ada.old('DELETE', `${path}/${mine.id}`);
    expect([deleted.status, typeof deleted.body.message]).toEqual([200, 'string']);
    expect((await ada.old('GET', path)).body).toEqual([changed.body]);
  });

  it('gets a history of several pages whole and in order', async () => {
    const { id } = (await ada.old('POST', '/chat_sessions', { title: 'long' })).body;
    const path = `/chat_sessions/${id}/messages`;
    for (let n = 0; n < 105; n += 1) await ada.old('POST', path, { content: `${n}`, is_user_message: n % 2 === 0 });
    const all = (await ada.old('GET', path)).body as { content: string }[];
    expect(all.map(({ content }) => content)).toEqual(Array.from({ length: 105 }, (_, n) => `${n}`));
  }, 30_000);

  it("is told 403 of somebody else's session on every route, and nothing of it changes", async () => {
    const path = `/chat_sessions/${session.id}`;
    const [message] = (await ada.old('GET', `${path}/messages`)).body;
    const calls: [string, string, object?][] = [
      ['PUT', path, { title: 'stolen' }],
      ['DELETE', path],
      ['GET', `${path}/messages`],
      ['POST', `${path}/messages`, { content: 'stolen', is_user_message: false }],
      ['PUT', `${path}/messages/${message.id}`, { content: 'stolen' }],
      ['DELETE', `${path}/messages/${message.id}`],
    ];
    for (const [method, at, body] of calls) {
      const { status, body: said } = await eve.old(method, at, body);
      expect([method, at, status, said]).toEqual([method, at, 403, { error: expect.any(String) }]);
    }
    expect((await ada.old('GET', `${path}/messages`)).body).toEqual([message]);
  });

  it('is told of every other error in the old shape', async () => {
    const error = { error: expect.any(String) };
    const nobody = { headers: { authorization: 'Bearer nonsense' } };
    const path = `/chat_sessions/${session.id}/messages`;
    const said = async (answer: Promise<{ status: number; body: unknown }>) => {
      const { status, body } = await answer;
      return [status, body];
    };
    expect(await said(call(app.url, 'GET', '/chat_sessions'))).toEqual([401, error]);
    expect(await said(call(app.url, 'GET', '/chat_sessions', undefined, nobody))).toEqual([401, error]);
    for (const id of [uuidv7(), '17', 'nonsense', '%00', "' OR 1=1"]) {
      const { status, body } = await ada.old('GET', `/chat_sessions/${encodeURIComponent(id)}/messages`);
      expect([400, 404]).toContain(status);
      expect(body).toEqual(error);
    }
    expect(await said(ada.old('PUT', `${path}/17`, { content: 'x' }))).toEqual([404, error]);
    expect(await said(ada.old('POST', '/chat_sessions', {}))).toEqual([400, error]);
    expect(await said(ada.old('POST', '/chat_sessions', { title: ['x'] }))).toEqual([400, error]);
    expect(await said(ada.old('POST', '/chat_sessions', '{ broken'))).toEqual([400, error]);
    expect(await said(ada.old('POST', path, { content: '   ' }))).toEqual([400, error]);
    expect(await said(ada.old('POST', path, { content: 'x', is_user_message: 'maybe' }))).toEqual([400, error]);
    expect(await said(ada.old('POST', path, { content: 'x'.repeat(2 ** 20) }))).toEqual([413, error]);
    expect(await said(ada.old('GET', '/chat_sessions/a/b/c'))).toEqual([404, error]);
  });

  it('may send fields that nobody reads any more; they are never bound', async () => {
    const given = {
      title: 'extra',
      id: uuidv7(),
      owner_id: eve.id,
      ownerId: eve.id,
      status: 'closed',
      agentId: uuidv7(),
    };
    const { status, body } = await ada.old('POST', '/chat_sessions', given);
    expect([status, body.owner_id]).toEqual([201, ada.id]);
    expect(body.id).not.toBe(given.id);
    expect((await ada.get(`/sessions/${body.id}`)).body).toMatchObject({ status: 'open', agent: null });
  });

  it('hears on every answer that the route is deprecated and what comes after it', async () => {
    for (const token of [ada.token, 'nonsense']) {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await call(app.url, 'GET', '/Chat_Sessions/', undefined, { headers });
      expect(answer.headers.get('deprecation')).toMatch(/^@\d+$/);
      expect(answer.headers.get('link')).toContain('</api/v1/sessions>; rel="successor-version"');
    }
    expect((await ada.get('/sessions')).headers.has('deprecation')).toBe(false);
  });

  it('cannot speak for the other side where an agent or a person does, neither here nor through the new API', async () => {
    const echo = (await ada.get('/agents')).body.items.find(({ slug }: { slug: string }) => slug === 'echo');
    const answered = (await ada.post('/sessions', { type: 'agent', agentId: echo.id })).body.id;
    const supported = (await ada.post('/sessions', { type: 'peer' })).body.id;
    for (const id of [answered, supported]) {
      const lie = { content: 'I am the agent', is_user_message: false };
      expect((await ada.old('POST', `/chat_sessions/${id}/messages`, lie)).status).toBe(404);
      expect((await ada.old('DELETE', `/chat_sessions/${id}`)).status).toBe(404);
    }
    const told = { content: 'I am the agent', role: 'agent', is_user_message: false };
    expect((await ada.post(`/conversations/${session.id}/messages`, told)).status).toBe(400);
    expect((await ada.post('/sessions', { type: 'agent', unanswered: true })).status).toBe(400);
    const listed = (await ada.old('GET', '/chat_sessions')).body as { id: string }[];
    expect(listed.map(({ id }) => id)).not.toContain(answered);
  });

  it('may go on using the numbers that its sessions and messages had before the import', async () => {
    const { id } = (await ada.old('POST', '/chat_sessions', { title: 'imported' })).body;
    const message = (await ada.old('POST', `/chat_sessions/${id}/messages`, { content: 'old' })).body;
    await asImported(database.url, [
      ['conversation', '5', id, null],
      ['message', '17', message.id, id],
      ['message', '17', uuidv7(), uuidv7()],
    ]);
    expect((await ada.old('GET', '/chat_sessions/5/messages')).body).toEqual([message]);
    const changed = await ada.old('PUT', '/chat_sessions/5/messages/17', { content: 'new' });
    expect(changed.body).toEqual({ ...message, content: 'new' });
    expect((await eve.old('GET', '/chat_sessions/5/messages')).status).toBe(403);
  });
});

async function asImported(url: string, rows: [string, string, string, string | null][]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const [kind, externalId, targetId, conversationId] of rows) {
    const importId = uuidv7();
    await client.query(`INSERT INTO imports (id, source, label, location, report) VALUES ($1, 'x', '', 'x', '{}')`, [
      importId,
    ]);
    await client.query(
      `INSERT INTO imported_ids (kind, external_id, scope, import_id, target_id, conversation_id)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [kind, externalId, uuidv7(), importId, targetId, conversationId],
    );
  }
  await client.end();
}
