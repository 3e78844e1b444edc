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

describe('mass assignment', () => {
  let database: TestDatabase;
  let app: RunningApp;
  let ada: Person;
  let operations: { method: string; path: string; known: string[] }[];

  beforeAll(async () => {
    database = await createTestDatabase();
    app = await runApp({ DATABASE_URL: database.url, RATE_LIMIT: 'off' });
    ada = await person(app.url, 'ada');
    const { id, general } = await serverOf(ada);
    const session = (await ada.post('/sessions', { type: 'peer' })).body.id as string;
    const ids: Record<string, string> = { servers: id, channels: general, conversations: general, sessions: session };
    operations = bodiesOf((await call(app.url, 'GET', '/openapi.json')).body).map(({ path, ...rest }) => ({
      ...rest,
      path: path.replace(/\/(\w+)\/\{\w+\}/g, (_, room: string) => `/${room}/${ids[room] ?? ada.id}`),
    }));
  }, 60_000);

  afterAll(async () => {
    await app.stop();
    await database.drop();
  }, 60_000);

  it('is refused on every call that takes a body, for every column of every table that the call does not name', async () => {
    expect(PROPERTIES.size).toBeGreaterThan(60);
    expect(operations.length).toBeGreaterThan(15);
    for (const { method, path, known } of operations) {
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
});

function bodiesOf(document: any): { method: string; path: string; known: string[] }[] {
  return Object.entries<Record<string, any>>(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { requestBody }]) => {
      const reference = requestBody?.content?.['application/json']?.schema?.$ref as string | undefined;
      if (!reference) return [];
      const schema = document.components.schemas[reference.split('/').at(-1) ?? ''];
      return [{ method: method.toUpperCase(), path, known: Object.keys(schema.properties ?? {}) }];
    }),
  );
}
