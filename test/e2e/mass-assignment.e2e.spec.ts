import pg from 'pg';
import { getMetadataArgsStorage } from 'typeorm';
import '../../ormconfig.js';
import { call, type Person, person, serverOf } from '../support/people.js';
import { runApp, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** Every property of every table, under the name that a body would give it. */
const PROPERTIES = new Set(
  getMetadataArgsStorage()
    .columns.map(({ propertyName }) => propertyName)
    .filter((name) => /^\w+$/.test(name)),
);

interface Operation {
  method: string;
  path: string;
  /** The fields of its body, where it takes one. */
  known: string[] | undefined;
  deprecated: boolean;
}

/** Fits text and uuid columns alike. */
const CANARY = '0badcafe-0000-7000-8000-0000000000ca';

describe('mass assignment', () => {
  let database: TestDatabase;
  let app: RunningApp;
  let ada: Person;
  let operations: Operation[];
  let bodiless: Operation[];
  let old: Operation[];

  beforeAll(async () => {
    database = await createTestDatabase();
    app = await runApp({ DATABASE_URL: database.url, RATE_LIMIT: 'off' });
    ada = await person(app.url, 'ada');
    const { id, general } = await serverOf(ada);
    const session = (await ada.post('/sessions', { type: 'peer' })).body.id as string;
    const written = (await ada.old('POST', '/chat_sessions', { title: 'old' })).body.id as string;
    const { id: message } = (await ada.old('POST', `/chat_sessions/${written}/messages`, { content: 'old' })).body;
    const character = (await ada.old('POST', '/api/chat/sessions', { characterId: 'echo' })).body.id as string;
    const ids: Record<string, string> = {
      ...{ servers: id, channels: general, conversations: general, sessions: session },
      ...{ chat_sessions: written, messages: message, 'peer-chat': session },
    };
    const all = operationsOf((await call(app.url, 'GET', '/openapi.json')).body).map(({ path, ...rest }) => ({
      ...rest,
      path: path
        .replace('/api/chat/sessions/{id}', `/api/chat/sessions/${character}`)
        .replace(/\/([\w-]+)\/\{\w+\}/g, (_, room: string) => `/${room}/${ids[room] ?? ada.id}`),
    }));
    operations = all.filter(({ known, deprecated }) => known && !deprecated);
    old = all.filter(({ known, deprecated }) => known && deprecated);
    bodiless = all.filter(({ method, known, deprecated }) => method !== 'GET' && !known && !deprecated);
  }, 60_000);

  afterAll(async () => {
    await app.stop();
    await database.drop();
  }, 60_000);

  it('is refused on every call that takes a body, for every column of every table that the call does not name', async () => {
    expect(PROPERTIES.size).toBeGreaterThan(60);
    expect(operations.length).toBeGreaterThan(15);
    for (const { method, path, known = [] } of operations) {
      const foreign = [...PROPERTIES].filter((property) => !known.includes(property));
      const body = Object.fromEntries(foreign.map((property) => [property, true]));
      const { status, body: said } = await call(app.url, method, path, body, {
        headers: { authorization: `Bearer ${ada.token}` },
      });
      // Administrators' calls do not exist to ada at all: that is as good.
      if (path.includes('/admin/') || (path.includes('/agents') && status === 404)) continue;
      const refused = new Set((said.errors as { path: string }[] | undefined)?.map((error) => error.path));
      expect([`${method} ${path}`, status]).toEqual([`${method} ${path}`, 400]);
      expect(foreign.filter((property) => !refused.has(property))).toEqual([]);
    }
  }, 60_000);

  it('is refused on every call that takes no body, which an empty object does not change', async () => {
    expect(bodiless.length).toBeGreaterThan(25);
    const as = (who: Person) => ({ headers: { authorization: `Bearer ${who.token}` } });
    for (const { method, path } of bodiless.filter(({ path }) => !path.includes('/agents/'))) {
      const { status, body } = await call(app.url, method, path, { ownerId: ada.id, closed: true }, as(ada));
      const named = (body.errors as { path: string }[] | undefined)?.map((error) => error.path);
      expect([`${method} ${path}`, status, named]).toEqual([`${method} ${path}`, 400, ['ownerId', 'closed']]);
      for (const text of ['[]', 'null', '7', '"x"']) {
        expect([text, (await call(app.url, method, path, text, as(ada))).status]).toEqual([text, 400]);
      }
    }
    expect((await call(app.url, 'POST', '/api/v1/auth/logout', { ownerId: ada.id })).status).toBe(401);
    const bob = await person(app.url, 'bob');
    expect((await bob.post('/auth/tickets', {})).status).toBe(201);
    expect((await call(app.url, 'DELETE', '/api/v1/users/me', {}, as(bob))).status).toBe(204);
  }, 60_000);

  it('does nothing on the calls of old clients, whose unknown fields are left out', async () => {
    const bob = await person(app.url, 'bob');
    const sample: Record<string, unknown> = {
      ...{ title: 'x', content: 'x', text: 'x', message: 'x', name: 'x', type: 'TEXT', role: 'MEMBER', from: 'user' },
      ...{ is_user_message: true, position: 1, icon: 'x', user_id: bob.id, login: ada.name, password: ada.password },
      ...{ username: 'fresh_name', email: 'fresh@example.org', characterId: 'echo', chatInput: 'x' },
    };
    expect(old.length).toBeGreaterThan(8);
    for (const { method, path, known = [] } of old) {
      const foreign = [...PROPERTIES].filter((property) => !known.includes(property));
      const body = Object.fromEntries([
        ...foreign.map((property) => [property, CANARY]),
        ...known.filter((name) => name in sample).map((name) => [name, sample[name]]),
      ]);
      if (path.endsWith('/register')) body.password = 'a long password of mine';
      const { status } = await ada.old(method, path, body);
      expect([`${method} ${path}`, Math.floor(status / 100)]).toEqual([`${method} ${path}`, 2]);
    }
    expect(await tablesWith(database.url, CANARY)).toEqual([]);
    expect(await tablesWith(database.url, bob.id)).toContain('memberships');
  }, 60_000);
});

async function tablesWith(url: string, text: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
  );
  const found: string[] = [];
  for (const { name } of rows) {
    const hit = await client.query(`SELECT 1 FROM "${name}" AS t WHERE t::text LIKE $1 LIMIT 1`, [`%${text}%`]);
    if (hit.rowCount) found.push(name);
  }
  await client.end();
  return found;
}

/** All, save those that take something else than JSON. */
function operationsOf(document: any): Operation[] {
  return Object.entries<Record<string, any>>(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { requestBody, deprecated = false }]) => {
      const reference = requestBody?.content?.['application/json']?.schema?.$ref as string | undefined;
      if (requestBody && !reference) return [];
      const schema = reference && document.components.schemas[reference.split('/').at(-1) ?? ''];
      const known = schema && Object.keys(schema.properties ?? {});
      return [{ method: method.toUpperCase(), path, known, deprecated }];
    }),
  );
}
