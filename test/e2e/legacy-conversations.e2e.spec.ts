import { administrator, call, type Person, person } from '../support/people.js';
import { runApp, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { delta, Upstream, usage } from '../support/upstream.js';

describe('a client of the old conversations', () => {
  let database: TestDatabase;
  let app: RunningApp;
  let upstream: Upstream;
  const account = { username: 'babbage', email: 'charles@example.org', password: 'difference engine' };

  beforeAll(async () => {
    database = await createTestDatabase();
    const env = { DATABASE_URL: database.url, OUTBOUND_ALLOWED_HOSTS: '127.0.0.1', LEGACY_AGENT: 'zz-model' };
    app = await runApp(env);
    upstream = await Upstream.start();
    const root = await administrator(app.url, env);
    const model = { slug: 'zz-model', name: 'Model', kind: 'openai', url: upstream.url, model: 'small' };
    await root.post('/agents', model);
  }, 60_000);

  afterAll(async () => {
    await app.stop();
    await upstream.stop();
    await database.drop();
  }, 60_000);

  const form = (path: string, fields: Record<string, string>) =>
    fetch(app.url + path, { method: 'POST', body: new URLSearchParams(fields) }).then(async (response) => ({
      status: response.status,
      headers: response.headers,
      body: await response.json(),
    }));

  it('registers and signs in from JSON or a form, by either name of the field, and gets what /auth gives', async () => {
    const fromForm = await form('/register', { ...account, csrf_token: 'x', submit: 'Sign up' });
    expect([fromForm.status, fromForm.body.user.username]).toEqual([201, 'babbage']);
    const other = { ...account, username: 'somerville', email: 'mary@example.org', is_admin: true, isAdmin: true };
    const fromJson = await call(app.url, 'POST', '/register', other);
    expect([fromJson.status, fromJson.body.user.isAdmin]).toEqual([201, false]);

    const { password } = account;
    const names = { login: 'babbage', username: 'babbage', email: 'charles@example.org' };
    for (const [field, name] of Object.entries(names)) {
      const signedIn = await form('/login', { [field]: name, password, remember: 'on' });
      expect(signedIn.status).toBe(200);
      expect(Object.keys(signedIn.body).sort()).toEqual(['accessToken', 'expiresIn', 'refreshToken', 'user']);
      expect(signedIn.headers.get('link')).toContain('</api/v1/auth>; rel="successor-version"');
    }
    expect((await call(app.url, 'POST', '/login', { username: 'babbage', password })).status).toBe(200);
  });

  it('signs out: the token is void at once', async () => {
    const ada: Person = await person(app.url, 'ada');
    expect((await ada.old('POST', '/logout')).status).toBe(204);
    expect((await ada.get('/users/me')).status).toBe(401);
    const again = await ada.old('POST', '/logout', {});
    expect([again.status, again.body]).toEqual([401, { error: expect.any(String) }]);
  });

  it('is told of errors in the old shape, also of too many tries', async () => {
    const error = { error: expect.any(String) };
    const said = async (answer: Promise<{ status: number; body: unknown }>) => {
      const { status, body } = await answer;
      return [status, body];
    };
    expect(await said(form('/register', account))).toEqual([409, error]);
    expect(await said(form('/register', { username: 'x' }))).toEqual([400, error]);
    expect(await said(form('/login', {}))).toEqual([400, error]);
    expect(await said(form('/login', { username: 'x'.repeat(20_000), password: 'x' }))).toEqual([413, error]);
    expect(await said(call(app.url, 'POST', '/login', '{'))).toEqual([400, error]);
    expect(await said(call(app.url, 'POST', '/login', { username: { $ne: null }, password: 'x' }))).toEqual([
      400,
      error,
    ]);
    const wrong = { username: 'babbage', password: 'not the password' };
    expect(await said(form('/login', wrong))).toEqual([401, error]);
    for (let n = 0; n < 12; n += 1) await form('/login', wrong);
    const refused = await form('/login', wrong);
    expect([refused.status, refused.body]).toEqual([429, error]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('says something and gets the answer of the model, with the own stored key, and what it cost', async () => {
    const ada = await person(app.url, 'ada');
    const bob = await person(app.url, 'bob');
    await ada.post('/users/me/credentials', { provider: 'openai', label: 'mine', key: 'sk-of-ada' });
    upstream.streams([delta('Good '), delta('day'), usage(42)]);
    const first = await ada.old('POST', '/chat', { message: 'Hello', conversation_id: null });
    expect([first.status, first.body]).toEqual([
      200,
      { response: 'Good day', conversation_id: expect.any(String), tokens_used: 42 },
    ]);
    expect(upstream.received[0]?.headers.authorization).toBe('Bearer sk-of-ada');
    const { conversation_id } = first.body;
    const second = await ada.old('POST', '/chat', { message: 'And now?', conversation_id });
    expect(second.body.conversation_id).toBe(conversation_id);
    expect(upstream.received[1]?.body.messages.slice(-3)).toMatchObject([
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Good day' },
      { role: 'user', content: 'And now?' },
    ]);
    expect((await ada.get(`/conversations/${conversation_id}/messages`)).body.items).toHaveLength(4);

    const withoutKey = await bob.old('POST', '/chat', { message: 'Hello' });
    expect([withoutKey.status, withoutKey.body]).toEqual([502, { error: expect.any(String) }]);
    expect((await bob.get('/conversations')).body.items).toHaveLength(1);
    expect((await bob.old('POST', '/chat', { message: 'Hello', conversation_id })).status).toBe(403);
    expect((await ada.old('POST', '/chat', { message: 'Hello', conversation_id: 'nothing' })).status).toBe(404);
    expect((await ada.old('POST', '/chat', { message: '  ' })).status).toBe(400);
    expect((await call(app.url, 'POST', '/chat', { message: 'x' })).body).toEqual({ error: expect.any(String) });
  });

  it('goes on in a conversation that was imported and has nobody to answer yet', async () => {
    const ada = await person(app.url, 'ada');
    await ada.post('/users/me/credentials', { provider: 'openai', label: 'mine', key: 'sk-of-ada' });
    const { id } = (await ada.old('POST', '/chat_sessions', { title: 'Migrated Conversation' })).body;
    upstream.streams([delta('Welcome back'), usage(3)]);
    const { body } = await ada.old('POST', '/chat', { message: 'Here again', conversation_id: id });
    expect(body).toEqual({ response: 'Welcome back', conversation_id: id, tokens_used: 3 });
    expect((await ada.get(`/sessions/${id}`)).body.agent.slug).toBe('zz-model');
  });

  it('takes forms nowhere else', async () => {
    expect((await form('/api/v1/auth/login', { login: 'babbage', password: account.password })).status).toBe(415);
  });
});

describe('LEGACY_API', () => {
  it.each([
    ['off', [404, 404, 404, 404]],
    ['servers', [404, 404, 200, 404]],
    ['chat-sessions,conversations', [200, 400, 404, 404]],
  ])(
    '%s leaves only what it names',
    async (dialects, statuses) => {
      const database = await createTestDatabase();
      const app = await runApp({ DATABASE_URL: database.url, LEGACY_API: dialects });
      const ada = await person(app.url, 'ada');
      const answers = [
        await ada.old('GET', '/chat_sessions'),
        await ada.old('POST', '/login', {}),
        await ada.old('GET', '/chat/servers'),
        await ada.old('GET', '/api/chat/sessions'),
      ];
      expect(answers.map(({ status }) => status)).toEqual(statuses);
      for (const { status, headers, body } of answers) {
        expect(headers.has('deprecation')).toBe(status !== 404);
        if (status === 404) expect(body.code).toBe('not_found');
      }
      await app.stop();
      await database.drop();
    },
    60_000,
  );
});
