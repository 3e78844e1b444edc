import { readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { call, person, serverOf } from '../support/people.js';
import { type RunningApp, runApp, runCommand } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const TOKEN = 'a-token-for-the-metrics';
/** What an example can only invent: it is well-formed, and good for nothing. */
const MADE_UP = new Set(['token', 'code', 'userIds']);
const ID = /[0-9a-f]{8}-[0-9a-f]{4}/;

describe('operations', () => {
  let database: TestDatabase;
  let app: RunningApp;

  beforeAll(async () => {
    database = await createTestDatabase();
    app = await runApp({ DATABASE_URL: database.url, METRICS_TOKEN: TOKEN });
  }, 60_000);

  afterAll(async () => {
    await app.stop();
    await database.drop();
  });

  const metrics = async (url = app.url, token = TOKEN): Promise<string> => {
    const { status, body } = await call(url, 'GET', '/metrics', undefined, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(status).toBe(200);
    return body;
  };

  describe('metrics', () => {
    it('are read with the token only, and the token of somebody signed in is none', async () => {
      const ada = await person(app.url, 'ada');
      for (const authorization of [undefined, 'Bearer wrong', `Bearer ${ada.token}`, `Basic ${TOKEN}`]) {
        const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
        const { status, body } = await call(app.url, 'GET', '/metrics', undefined, { headers });
        expect([status, body.code]).toEqual([401, 'unauthorized']);
      }
      await metrics();
    });

    it('count requests by the template of their route, messages sent and delivered, and name nobody', async () => {
      const ada = await person(app.url, 'ada');
      const bob = await person(app.url, 'bob');
      const { general } = await serverOf(ada, bob);
      const sockets = [await ada.socket(), await bob.socket()];
      const before = read(await metrics());
      await ada.say(general, 'one');
      await ada.say(general, 'two');
      for (const socket of sockets) await socket.next(({ message }) => message?.content === 'two');
      const text = await metrics();
      const now = read(text);

      const grown = (series: string) => (now.get(series) ?? 0) - (before.get(series) ?? 0);
      const labels = 'method="POST",route="/api/v1/conversations/:id/messages",status="201"';
      expect(grown(`parley_http_request_duration_seconds_count{${labels}}`)).toBe(2);
      expect(grown('parley_messages_sent_total{kind="channel"}')).toBe(2);
      expect(grown('parley_events_delivered_total{type="message.created"}')).toBe(4);
      expect(grown('parley_send_batch_size_sum')).toBe(2);
      expect(now.get('parley_sockets_open')).toBe(2);
      expect(text).not.toMatch(ID);
      expect(text).not.toContain(ada.name);

      sockets[0]?.ws.close(1000);
      sockets[1]?.ws.close(4321);
      await Promise.all(sockets.map(({ closed }) => closed));
      await untilTrue(async () => read(await metrics()).get('parley_sockets_open') === 0);
      const closed = read(await metrics());
      expect(closed.get('parley_sockets_closed_total{code="1000"}')).toBe(1);
      expect(closed.get('parley_sockets_closed_total{code="other"}')).toBe(1);
    });

    it('count what became of the replies of agents', async () => {
      const ada = await person(app.url, 'ada');
      const { id: agentId } = (await ada.get('/agents')).body.items.find(({ slug }: any) => slug === 'echo');
      const session = (await ada.put(`/sessions/by-agent/${agentId}`)).body;
      const socket = await ada.socket();
      await ada.say(session.id, 'Is anybody there?');
      await socket.next(({ conversation }) => conversation?.reply?.status === 'done');
      const text = await metrics();
      expect(read(text).get('parley_replies_total{status="done"}')).toBe(1);
      socket.close();
    });

    it('count the imports that stand in the database', async () => {
      expect(read(await metrics()).get('parley_imports{source="users-json"}')).toBeUndefined();
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      await client
        .query(
          `INSERT INTO imports (id, source, label, location, report)
           VALUES (gen_random_uuid(), 'users-json', 'people', 'users.json', '{}')`,
        )
        .finally(() => client.end());
      expect(read(await metrics()).get('parley_imports{source="users-json"}')).toBe(1);
    });

    it('show a pool at rest while nobody but their reader asks', async () => {
      await untilTrue(async () => read(await metrics()).get('parley_database_connections{state="busy"}') === 0);
      expect(read(await metrics()).get('parley_database_connections{state="waiting"}')).toBe(0);
    });

    it('put paths that are nowhere into one series', async () => {
      for (let i = 0; i < 5; i++) await call(app.url, 'GET', `/api/v1/no-such-path-${i}`);
      const text = await metrics();
      expect(text).not.toContain('no-such-path');
      expect(text).toContain('route="unmatched"');
    });

    it('hold every series that the dashboard shows', async () => {
      const dashboard = JSON.parse(await readFile('docs/grafana-dashboard.json', 'utf8'));
      const shown = dashboard.panels.flatMap(({ targets }: any) =>
        targets.flatMap(({ expr }: any) => expr.match(/\b(parley|nodejs|process)_\w+/g)),
      );
      expect(shown.length).toBeGreaterThan(20);
      const text = await metrics();
      const published = new Set(text.match(/^\w+/gm));
      const declared = new Set([...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name));
      expect(shown.filter((name: string) => !published.has(name) && !declared.has(name))).toEqual([]);
    });

    it('are open to this machine alone where no token is set, and to nobody in production', async () => {
      const open = await runApp({ DATABASE_URL: database.url });
      expect((await call(open.url, 'GET', '/metrics')).status).toBe(200);
      for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via']) {
        expect((await call(open.url, 'GET', '/metrics', undefined, { headers: { [header]: 'x' } })).status).toBe(401);
      }
      await open.stop();
      const closed = await runApp({
        DATABASE_URL: database.url,
        NODE_ENV: 'production',
        SECRET_KEY: 'Zp3vK9xQ7mW2rT8yB4nD6fH1jL5cV0aS',
        ENCRYPTION_KEY: 'Qw8eR2tY6uI0oP4aS1dF5gH9jK3lZ7xC',
        SMTP_URL: 'smtp://127.0.0.1:9',
      });
      expect((await call(closed.url, 'GET', '/metrics')).status).toBe(401);
      await closed.stop();
    }, 60_000);
  });

  describe('statistics', () => {
    const sql = async (text: string, values: unknown[] = []): Promise<any[]> => {
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      const { rows } = await client.query(text, values).finally(() => client.end());
      return rows;
    };

    it('are for administrators: how much there is, per channel, and who is here', async () => {
      const ada = await person(app.url, 'ada');
      const bob = await person(app.url, 'bob');
      expect((await ada.get('/admin/stats')).status).toBe(404);
      expect((await ada.get('/admin/connections')).status).toBe(404);
      await sql(`UPDATE users SET is_admin = true WHERE id = $1`, [ada.id]);
      await untilTrue(async () => (await ada.get('/admin/stats')).status === 200);

      const { general } = await serverOf(ada, bob);
      const before = (await ada.get('/admin/stats')).body;
      for (const text of ['one', 'two', 'three']) await bob.say(general, text);
      const sockets = [await ada.socket(), await bob.socket(), await bob.socket()];
      const { body } = await ada.get('/admin/stats');
      expect(body.messages - before.messages).toBe(3);
      expect(body.messagesPerChannel.find(({ id }: any) => id === general)).toMatchObject({
        name: 'general',
        messages: 3,
      });
      expect(body.connections).toBe(3);
      const [{ users, conversations }] = await sql(
        `SELECT (SELECT count(*)::int FROM users) AS users, (SELECT count(*)::int FROM conversations) AS conversations`,
      );
      expect(body).toMatchObject({ users, conversations, activeUsers: users, isEstimate: false });

      const first = await ada.get('/admin/connections?limit=2');
      const second = await ada.get(`/admin/connections?limit=2&cursor=${first.body.nextCursor}`);
      const all = [...first.body.items, ...second.body.items];
      expect(all.map(({ user }: any) => user.id)).toEqual([ada.id, bob.id, bob.id]);
      expect(second.body.nextCursor).toBeNull();
      expect(Date.now() - Date.parse(all[0].openedAt)).toBeLessThan(60_000);
      expect((await ada.get(`/admin/connections?userId=${bob.id}`)).body.items).toHaveLength(2);
      sockets.forEach((socket) => socket.close());
    });

    it('forget who has not been here for a day', async () => {
      const ada = await person(app.url, 'ada');
      await sql(`UPDATE users SET is_admin = true WHERE id = $1`, [ada.id]);
      await untilTrue(async () => (await ada.get('/admin/stats')).status === 200);
      await sql(`UPDATE logins SET last_used_at = now() - interval '25 hours' WHERE user_id <> $1`, [ada.id]);
      expect((await ada.get('/admin/stats')).body.activeUsers).toBe(1);
    });
  });

  describe('the OpenAPI document', () => {
    let operations: { method: string; path: string; operation: any }[];
    let document: any;

    beforeAll(async () => {
      document = (await call(app.url, 'GET', '/openapi.json')).body;
      operations = Object.entries<Record<string, any>>(document.paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
      );
    });

    it('is the same without a running app', async () => {
      const file = path.join(os.tmpdir(), `parley-openapi-${process.pid}.json`);
      await writeFile(file, `${JSON.stringify(document, null, 2)}\n`);
      const same = await runCommand(['dist/src/operations/cli/openapi.js', 'check', file]);
      expect([same.code, same.stdout]).toEqual([0, expect.stringContaining('is current')]);
      await rm(file);
      const other = await runCommand(['dist/src/operations/cli/openapi.js', 'check', file]);
      expect([other.code, other.stdout]).toEqual([1, expect.stringContaining('npm run openapi')]);
    }, 60_000);

    it('says of every operation who may call it, what it answers, and how it is refused', () => {
      const silent = operations.filter(({ operation: { security, responses } }) => {
        const answers: any[] = Object.entries<any>(responses);
        const refusals = answers.filter(([status]) => status >= '400');
        const isShown = answers.every(
          ([status, answer]) =>
            status >= '300' || !answer.content?.['application/json'] || 'example' in answer.content['application/json'],
        );
        const hasBodies = refusals.every(
          ([, answer]) => answer.$ref ?? answer.content['application/problem+json'] ?? isOldShape(answer),
        );
        return !Array.isArray(security) || !responses['429'] || !responses['503'] || !hasBodies || !isShown;
      });
      expect(silent.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
      expect(operations.filter(({ operation }) => operation.security.length > 0).length).toBeGreaterThan(20);
      expect(operations.filter(({ operation }) => operation.security.length === 0).length).toBeGreaterThan(3);
    });

    it('shows bodies that the app takes', async () => {
      const ada = await person(app.url, 'ada');
      const shown = operations.filter(({ operation }) => operation.requestBody?.content['application/json']);
      expect(shown.length).toBeGreaterThan(15);
      for (const { method, path, operation } of shown) {
        const { example } = operation.requestBody.content['application/json'];
        const concrete = path.replace('/api/v1', '').replace(/\{\w+\}/g, '01990000-0000-7000-8000-00000000dead');
        const { status, body } = await ada.call(method, concrete, example);
        const faults = status === 400 ? body.errors.filter(({ path }: any) => !MADE_UP.has(path)) : [];
        expect([method, path, faults]).toEqual([method, path, []]);
      }
    });
  });

  describe('health', () => {
    it('is live and ready, without a word about the inside', async () => {
      expect((await call(app.url, 'GET', '/health/live')).body).toEqual({ status: 'ok' });
      const { status, body } = await call(app.url, 'GET', '/health/ready');
      expect([status, body.status]).toEqual([200, 'ok']);
      expect(Object.keys(body.details)).toEqual(expect.arrayContaining(['database', 'migrations', 'disk']));
      expect(JSON.stringify(body)).not.toMatch(/postgres|\/tmp|\/data/);
    });

    it('is not ready with an old schema, or without its database, and stays live', async () => {
      const own = await createTestDatabase();
      const node = await runApp({ DATABASE_URL: own.url });
      const client = new pg.Client({ connectionString: own.url });
      await client.connect();
      await client.query(`DELETE FROM migrations WHERE id = (SELECT max(id) FROM migrations)`);
      await client.end();
      const old = await call(node.url, 'GET', '/health/ready');
      expect([old.status, old.body.code, old.body.errors]).toEqual([
        503,
        'not_ready',
        [{ path: 'migrations', message: 'is down' }],
      ]);

      await own.drop();
      const gone = await call(node.url, 'GET', '/health/ready');
      expect([gone.status, gone.body.errors.map(({ path }: any) => path)]).toEqual([503, ['database', 'migrations']]);
      expect((await call(node.url, 'GET', '/health/live')).status).toBe(200);
      await node.stop();
    }, 60_000);
  });
});

/** Series with their labels, and what they stand at. */
function read(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

async function untilTrue(look: () => Promise<boolean>): Promise<void> {
  while (!(await look())) await new Promise((resolve) => setTimeout(resolve, 20));
}

function isOldShape({ content, description }: any): boolean {
  return content['application/json'] !== undefined && description.includes('old system');
}
