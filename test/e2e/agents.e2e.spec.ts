import pg from 'pg';
import { administrator, call, type Person, person } from '../support/people.js';
import { runApp, runCommand, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const OLD_KEY = 'Zq7Lm2Xw9Rt4Yb6Nc1Vd8Kf3Hg5Js0Pa';
const NEW_KEY = 'Pw3Er9Ty5Ui1Oa7Sd2Fg8Hj4Kl6Zx0Cv';
const API_KEY = 'sk-very-secret-0123456789';

const MODEL = {
  slug: 'librarian',
  name: 'The librarian',
  kind: 'openai',
  description: 'Knows where everything stands.',
  greeting: 'What are you looking for?',
  avatarUrl: 'https://chat.example/librarian.png',
  systemPrompt: 'You are a librarian.',
  url: 'https://models.example/v1',
  model: 'gpt-4o-mini',
  apiKey: API_KEY,
};

describe('agents', () => {
  let database: TestDatabase;
  let env: Record<string, string>;
  let app: RunningApp;
  let sql: pg.Client;
  let root: Person;
  let ada: Person;

  beforeAll(async () => {
    database = await createTestDatabase();
    env = { DATABASE_URL: database.url, RATE_LIMIT: 'off', ENCRYPTION_KEY: OLD_KEY };
    app = await runApp(env);
    sql = new pg.Client({ connectionString: database.url });
    await sql.connect();
    root = await administrator(app.url, env);
    ada = await person(app.url, 'ada');
  }, 60_000);

  afterAll(async () => {
    await sql.end();
    await app.stop();
    await database.drop();
  }, 60_000);

  const make = async (body: object): Promise<any> => {
    const made = await root.post('/agents', body);
    if (made.status !== 201) throw new Error(JSON.stringify(made.body));
    return made.body;
  };

  it('are made by administrators, and shown to others without what stands behind them', async () => {
    const made = await make(MODEL);
    const { systemPrompt, url, model, apiKey: _, ...open } = MODEL;
    const more = { systemPrompt, url, model, provider: 'openai', contextTokens: 8000, maxTokens: null, hasKey: true };
    expect(made).toMatchObject({ ...open, ...more, enabled: true, temperature: null });
    expect((await ada.get(`/agents/${made.id}`)).body).toEqual({ ...open, id: made.id, enabled: true });
    expect((await root.get(`/agents/${made.id}`)).body).toEqual(made);
    const listed = (await ada.get('/agents')).body;
    expect(listed.items.map(({ slug }: { slug: string }) => slug)).toEqual(['echo', 'librarian']);
    expect(JSON.stringify(listed)).not.toContain('models.example');
    expect(JSON.stringify([made, await root.get('/agents')])).not.toContain(API_KEY);
    expect(app.output()).not.toContain(API_KEY);
    const { rows } = await sql.query(`SELECT sealed FROM agents WHERE id = $1`, [made.id]);
    expect(rows[0].sealed.includes(API_KEY)).toBe(false);
  });

  it('cannot be made, changed or deleted by anybody else', async () => {
    const { id } = (await root.get('/agents')).body.items[0];
    const tries = [
      ada.post('/agents', { slug: 'mine', name: 'Mine', kind: 'echo' }),
      ada.patch(`/agents/${id}`, { name: 'Mine' }),
      ada.delete(`/agents/${id}`),
    ];
    expect((await Promise.all(tries)).map(({ status }) => status)).toEqual([404, 404, 404]);
    expect((await call(app.url, 'GET', '/api/v1/agents')).status).toBe(401);
  });

  it('are listed page by page', async () => {
    for (const slug of ['page-a', 'page-b', 'page-c']) await make({ slug, name: slug, kind: 'echo' });
    const all = (await ada.get('/agents')).body.items;
    const first = (await ada.get('/agents?limit=2')).body;
    const second = (await ada.get(`/agents?limit=100&cursor=${first.nextCursor}`)).body;
    expect([...first.items, ...second.items]).toEqual(all);
    expect(second.nextCursor).toBeNull();
  });

  it('have a slug of their own, however the calls race', async () => {
    const tries = Array.from({ length: 10 }, () => root.post('/agents', { slug: 'one', name: 'One', kind: 'echo' }));
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([201, ...Array.from({ length: 9 }, () => 409)]);
    const other = await make({ slug: 'two', name: 'Two', kind: 'echo' });
    const clash = await root.patch(`/agents/${other.id}`, { slug: 'one' });
    expect([clash.status, clash.body.errors]).toEqual([409, [{ path: 'slug', message: 'is taken' }]]);
  });

  it.each<[string, object, string]>([
    ['a slug with spaces', { slug: 'a b' }, 'slug'],
    ['an unknown kind', { kind: 'oracle' }, 'kind'],
    ['no name', { name: '' }, 'name'],
    ['a name of blanks', { name: '  ' }, 'name'],
    ['a webhook that is called nowhere', { kind: 'webhook', url: undefined }, 'url'],
    ['a model without a name', { model: undefined }, 'model'],
    ['a field nobody knows', { sealed: 'x' }, 'sealed'],
    ['a key with a line break', { apiKey: 'sk-1\r\nX-Evil: 1' }, 'apiKey'],
    ['a budget of nothing', { contextTokens: 0 }, 'contextTokens'],
    ['a temperature of a fever', { temperature: 40 }, 'temperature'],
    ['an address on this machine', { url: 'http://127.0.0.1:5678/hook' }, 'url'],
    ['an address on this machine in IPv6', { url: 'http://[::ffff:127.0.0.1]/' }, 'url'],
    ['the metadata of a cloud', { url: 'http://169.254.169.254/' }, 'url'],
    ['an address that is none', { url: 'not a url' }, 'url'],
    ['an address that is a file', { url: 'file:///etc/passwd' }, 'url'],
    ['an address with a password', { url: 'https://user:word@agent.example/' }, 'url'],
  ])('are refused with %s, and the field is named', async (_, wrong, field) => {
    const answer = await root.post('/agents', { ...MODEL, slug: 'wrong', ...wrong });
    expect([answer.status, answer.body.code]).toEqual([400, 'validation_failed']);
    expect(answer.body.errors.map(({ path }: { path: string }) => path)).toContain(field);
  });

  it('are changed field by field; null takes away, and a key is not sent to another origin', async () => {
    const { id } = await make({ ...MODEL, slug: 'changing' });
    const patch = async (body: object) => (await root.patch(`/agents/${id}`, body)).body;
    expect(await patch({ name: 'New', systemPrompt: null })).toMatchObject({
      name: 'New',
      systemPrompt: null,
      description: MODEL.description,
      hasKey: true,
    });
    expect(await patch({ url: 'https://models.example/v2' })).toMatchObject({ hasKey: true });
    expect(await patch({ url: 'https://elsewhere.example/v1' })).toMatchObject({ hasKey: false });
    expect(await patch({ url: 'https://third.example/v1', apiKey: 'sk-third' })).toMatchObject({ hasKey: true });
    expect(await patch({ apiKey: null })).toMatchObject({ hasKey: false });
    expect(await patch({ url: null })).toMatchObject({ url: null });
    expect(await patch({ kind: 'webhook' })).toMatchObject({ status: 400, errors: [{ path: 'url' }] });
    expect(await patch({ model: null, enabled: false })).toMatchObject({ model: null, enabled: false });
    expect(await patch({ enabled: true })).toMatchObject({ status: 400, errors: [{ path: 'model' }] });
    expect((await root.patch('/agents/01990000-0000-7000-8000-00000000dead', { name: 'x' })).status).toBe(404);
  });

  it('leave what they said behind, under their name, when they are deleted', async () => {
    const { id, slug } = await make({ slug: 'leaving', name: 'Leaving', kind: 'echo' });
    const socket = await ada.socket();
    const session = (await ada.put(`/sessions/by-agent/${id}`)).body;
    await ada.say(session.id, 'Are you there?');
    await socket.next((frame) => frame.message?.role === 'agent' && frame.conversationId === session.id);
    socket.close();
    expect((await root.delete(`/agents/${id}`)).status).toBe(204);
    expect((await root.delete(`/agents/${id}`)).status).toBe(404);
    expect((await ada.get(`/agents/${id}`)).status).toBe(404);
    expect(JSON.stringify((await ada.get('/agents?limit=100')).body)).not.toContain(id);
    expect((await ada.get(`/sessions/${session.id}`)).body).toMatchObject({ agent: { id, slug, name: 'Leaving' } });
    const { items } = (await ada.get(`/conversations/${session.id}/messages`)).body;
    expect(items.map(({ author }: any) => author.name ?? author.id)).toEqual([ada.id, 'Leaving']);
    await make({ slug, name: 'The next one', kind: 'echo' });
  });

  it('keep their keys when the encryption key is exchanged', async () => {
    const rotate = (ENCRYPTION_KEY: string) =>
      runCommand(['dist/src/operations/cli/admin.js', 'credentials:rotate'], { ...env, ENCRYPTION_KEY });
    const sealed = async () => (await sql.query(`SELECT key_id FROM agents WHERE key_id IS NOT NULL`)).rows;
    const before = await sealed();
    expect(before.length).toBeGreaterThan(0);
    expect(await rotate(`${NEW_KEY},${OLD_KEY}`)).toMatchObject({ code: 0 });
    expect((await sealed()).map(({ key_id }) => key_id)).not.toEqual(before.map(({ key_id }) => key_id));
    expect(await rotate(`${OLD_KEY},${NEW_KEY}`)).toMatchObject({ code: 0 });
    expect(await sealed()).toEqual(before);
  });
});
