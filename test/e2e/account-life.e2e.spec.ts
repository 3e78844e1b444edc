import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { type Answer, Client, closeCode } from '../support/client.js';
import { runApp, runCommand, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const PASSWORD = 'correct horse battery';
const OLD_KEY = 'Zq7Lm2Xw9Rt4Yb6Nc1Vd8Kf3Hg5Js0Pa';
const NEW_KEY = 'Pw3Er9Ty5Ui1Oa7Sd2Fg8Hj4Kl6Zx0Cv';
const MESSAGES = 100_000;
/** Bounds what the app may hold, and with it how much garbage lies about while its memory is looked at. */
const HEAP_MIB = 112;

describe('The life of an account', () => {
  let database: TestDatabase;
  let env: Record<string, string>;
  let app: RunningApp;
  let client: Client;
  let sql: pg.Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    env = { DATABASE_URL: database.url, RATE_LIMIT: 'off', ENCRYPTION_KEY: OLD_KEY };
    app = await runApp({ ...env, NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` });
    client = new Client(app.url);
    sql = new pg.Client({ connectionString: database.url });
    await sql.connect();
  });

  afterAll(async () => {
    await sql.end();
    await app.stop();
    await database.drop();
  });

  const admin = (...args: string[]) => runCommand(['dist/src/operations/cli/admin.js', ...args], env);
  const idOf = async (username: string): Promise<string> =>
    (await sql.query<{ id: string }>(`SELECT id FROM users WHERE username = $1`, [username])).rows[0]!.id;

  describe('administrators', () => {
    it('are made from the command line while the app runs, and do not exist to others', async () => {
      const root = await client.register('root');
      expect((await client.call('GET', '/admin/users', { token: root.accessToken })).status).toBe(404);
      expect(await admin('user:promote', 'ROOT')).toMatchObject({ code: 0 });
      while ((await client.call('GET', '/admin/users', { token: root.accessToken })).status !== 200);
      expect((await admin('user:list')).stdout).toContain('root');
      const nobody = await admin('user:promote', 'nobody-here');
      expect([nobody.code, nobody.stderr]).toEqual([
        1,
        expect.stringMatching(/nobody-here does not exist\. The database: \S/),
      ]);
      expect(await admin('user:promote')).toMatchObject({ code: 1 });
      expect(await admin('whatever')).toMatchObject({ code: 1 });
      await client.register('helper');
      expect(await admin('user:promote', 'helper', '--advocate')).toMatchObject({ code: 1, stdout: '' });
      expect((await admin('user:list')).stdout).toMatch(/^helper\t.*-$/m);
    });

    it.each([
      ['purge', '--dry-run'],
      ['seed', 'twice'],
      ['backup', 'restore', 'a-folder', '--dry-run'],
      ['migrations', 'revert', '--to', '0'],
      ['legacy', 'list', '--all'],
      ['legacy', 'revert', randomUUID(), '--dry-run'],
    ])('open no database for %s where a word of theirs is unknown', async (command, ...words) => {
      const nowhere = { ...env, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nowhere' };
      const { code, stdout, stderr } = await runCommand([`dist/src/operations/cli/${command}.js`, ...words], nowhere);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/does not know what .* means\. Nothing was done\./);
    });

    it('switch accounts off and on, at once for open sockets, also from the command line', async () => {
      const root = (await client.login('root', PASSWORD)).body.accessToken;
      const eve = await client.register('eve');
      const patch = (body: object): Promise<Answer> =>
        client.call('PATCH', `/admin/users/${eve.user.id}`, { token: root, body });
      const first = closeCode(await client.socket(eve.accessToken));
      expect((await patch({ disabled: true })).body).toMatchObject({ disabled: true });
      expect(await first).toBe(4003);
      expect((await client.call('GET', '/users/me', { token: eve.accessToken })).status).toBe(401);
      expect((await client.login('eve', PASSWORD)).status).toBe(401);
      await patch({ disabled: false });
      const again = (await client.login('eve', PASSWORD)).body;
      const second = closeCode(await client.socket(again.accessToken));
      expect(await admin('user:disable', 'eve')).toMatchObject({ code: 0 });
      expect(await second).toBe(4003);
      expect((await patch({ disabled: null })).status).toBe(400);
      expect((await patch({ kind: 'bot', isAdvocate: true })).status).toBe(400);
      expect((await patch({ isAdvocate: true })).body).toMatchObject({ isAdvocate: true });
    });

    it('leave one who can administer, also when the last two demote each other', async () => {
      const names = ['root', 'co-root'];
      await client.register('co-root');
      await admin('user:promote', 'co-root');
      const [root, coRoot] = await Promise.all(names.map(idOf));
      const tokens = await Promise.all(
        names.map(async (name) => (await client.login(name, PASSWORD)).body.accessToken),
      );
      const answers = await Promise.all([
        client.call('PATCH', `/admin/users/${coRoot}`, { token: tokens[0]!, body: { isAdmin: false } }),
        client.call('PATCH', `/admin/users/${root}`, { token: tokens[1]!, body: { isAdmin: false } }),
      ]);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      const left = await sql.query<{ username: string }>(`SELECT username FROM users WHERE is_admin`);
      expect(left.rows).toHaveLength(1);
      expect(await admin('user:demote', left.rows[0]!.username)).toMatchObject({ code: 1 });
      const token = (await client.login(left.rows[0]!.username, PASSWORD)).body.accessToken;
      expect((await client.call('DELETE', '/users/me', { token })).body).toMatchObject({ code: 'last_administrator' });
      await admin('user:promote', 'root');
    });

    it('void a password from the command line and give a token for a new one', async () => {
      await client.register('locked-out');
      const { stdout } = await admin('user:reset-password', 'locked-out');
      const [, token] = /"token": "([\w-]+)"/.exec(stdout) ?? [];
      expect((await client.login('locked-out', PASSWORD)).status).toBe(401);
      const reset = { token, newPassword: 'a new long phrase' };
      expect((await client.call('POST', '/auth/password/reset', { body: reset })).status).toBe(204);
      expect((await client.login('locked-out', 'a new long phrase')).status).toBe(200);
    });

    it('read the trail of an account', async () => {
      const token = (await client.login('root', PASSWORD)).body.accessToken;
      const trail = await client.call<{ items: { kind: string }[] }>('GET', `/admin/users/${await idOf('eve')}/audit`, {
        token,
      });
      expect(trail.body.items.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['disabled', 'rights_changed']));
    });
  });

  describe('encryption keys', () => {
    it('are exchanged by a command, after which the old one opens nothing any more', async () => {
      const ada = await client.register('rotating');
      for (const label of ['one', 'two', 'three']) {
        const body = { provider: 'openai', label, key: `sk-${label}-0123456789` };
        await client.call('POST', '/users/me/credentials', { token: ada.accessToken, body });
      }
      const keyIds = async () =>
        (await sql.query<{ key_id: string }>(`SELECT DISTINCT key_id FROM credentials`)).rows.map((row) => row.key_id);
      const before = await keyIds();
      const rotate = (ENCRYPTION_KEY: string) =>
        runCommand(['dist/src/operations/cli/admin.js', 'credentials:rotate'], { ...env, ENCRYPTION_KEY });
      expect(await rotate(NEW_KEY)).toMatchObject({ code: 1 });
      expect(await keyIds()).toEqual(before);
      const done = await rotate(`${NEW_KEY},${OLD_KEY}`);
      expect(done).toMatchObject({ code: 0, stdout: expect.stringMatching(/^3 /) });
      const after = await keyIds();
      expect(after).toHaveLength(1);
      expect(after).not.toEqual(before);
      expect(await rotate(NEW_KEY)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^0 /) });
      expect(await rotate(OLD_KEY)).toMatchObject({ code: 1 });
    });
  });

  describe('deletion', () => {
    it('leaves nothing that names the person, and their words under "deleted user"', async () => {
      const gone = await client.register('vanishing', PASSWORD);
      const stays = await client.register('staying');
      const token = gone.accessToken;
      const shared = await client.call<{ id: string; channels: { id: string }[] }>('POST', '/servers', {
        token,
        body: { name: 'Shared' },
      });
      const alone = await client.call<{ id: string }>('POST', '/servers', { token, body: { name: 'Alone' } });
      await client.call('POST', `/servers/${shared.body.id}/members`, { token, body: { userId: stays.user.id } });
      const room = `/conversations/${shared.body.channels[0]!.id}/messages`;
      await client.call('POST', room, { token, body: { content: 'these words stay' } });
      const session = await client.call<{ id: string }>('POST', '/sessions', {
        token,
        body: { type: 'agent', agentId: '01990000-0000-7000-8000-000000000001' },
      });
      await client.call('POST', `/conversations/${session.body.id}/messages`, { token, body: { content: 'private' } });
      await client.call('POST', '/users/me/credentials', {
        token,
        body: { provider: 'openai', label: 'x', key: 'sk-0123456789abcdef' },
      });
      await client.call('POST', '/auth/tickets', { token });
      const socket = closeCode(await client.socket(token));

      expect((await client.call('DELETE', '/users/me', { token })).status).toBe(204);
      expect(await socket).toBe(4003);
      expect((await client.call('GET', '/users/me', { token })).status).toBe(401);
      expect((await client.login('vanishing', PASSWORD)).status).toBe(401);

      const page = await client.call<{ items: { content: string; author: { displayName: string } }[] }>('GET', room, {
        token: stays.accessToken,
      });
      expect(page.body.items[0]).toMatchObject({
        content: 'these words stay',
        author: { displayName: 'deleted user' },
      });
      const server = await client.call('GET', `/servers/${shared.body.id}`, { token: stays.accessToken });
      expect(server.body).toMatchObject({ role: 'ADMIN' });
      expect((await sql.query(`SELECT 1 FROM servers WHERE id = $1`, [alone.body.id])).rows).toEqual([]);
      expect(await whereNamed(sql, [gone.user.id, 'vanishing'])).toEqual(['account_notices']);
      expect(await whereNamed(sql, [session.body.id])).toEqual([]);
    });

    it('goes well when the two last ADMINs of a server delete their accounts at once', async () => {
      const [a, b, c] = await Promise.all(['leaver-a', 'leaver-b', 'leaver-c'].map((name) => client.register(name)));
      const server = await client.call<{ id: string }>('POST', '/servers', {
        token: a!.accessToken,
        body: { name: 'Race' },
      });
      const members = `/servers/${server.body.id}/members`;
      await client.call('POST', members, { token: a!.accessToken, body: { userId: b!.user.id, role: 'ADMIN' } });
      await client.call('POST', members, { token: a!.accessToken, body: { userId: c!.user.id } });
      const answers = await Promise.all(
        [a!, b!].map(({ accessToken }) => client.call('DELETE', '/users/me', { token: accessToken })),
      );
      expect(answers.map(({ status }) => status)).toEqual([204, 204]);
      const left = await client.call('GET', `/servers/${server.body.id}`, { token: c!.accessToken });
      expect(left.body).toMatchObject({ role: 'ADMIN' });
    });
  });

  describe('the export', () => {
    it(`streams an account with ${MESSAGES} messages in flat memory, without a secret in it`, async () => {
      const ada = await client.register('exporting');
      const mallory = await client.register('exporting-mallory');
      const server = await client.call<{ channels: { id: string }[] }>('POST', '/servers', {
        token: ada.accessToken,
        body: { name: 'Full' },
      });
      const room = server.body.channels[0]!.id;
      await fill(sql, room, ada.user.id);
      await client.call('POST', '/users/me/credentials', {
        token: ada.accessToken,
        body: { provider: 'openai', label: 'x', key: 'sk-the-secret-of-the-export' },
      });

      const before = await memoryOf(app.pid);
      const response = await fetch(`${app.url}/api/v1/users/me/export`, {
        headers: { Authorization: `Bearer ${ada.accessToken}` },
      });
      expect(response.headers.get('content-type')).toMatch(/^application\/jsonl/);
      const seen = await readLines(response, () => memoryOf(app.pid));
      expect(seen.types.get('message')).toBe(MESSAGES);
      expect([...seen.types.keys()]).toEqual(['account', 'login', 'event', 'credential', 'membership', 'message']);
      expect(seen.head).not.toMatch(/sk-the-secret|argon2|hash|sealed/i);
      expect(seen.head).not.toContain(mallory.user.id);
      // The messages are 230 MB as text: what is held at once must be far from that.
      expect(seen.bytes).toBeGreaterThan(200 * 1024 * 1024);
      expect(seen.memory - before).toBeLessThan(100 * 1024 * 1024);
    }, 180_000);

    it('gives its connection back when the reader leaves early', async () => {
      const token = (await client.login('exporting', PASSWORD)).body.accessToken;
      for (let i = 0; i < 25; i += 1) {
        const leaving = new AbortController();
        const response = await fetch(`${app.url}/api/v1/users/me/export`, {
          headers: { Authorization: `Bearer ${token}` },
          signal: leaving.signal,
        });
        if (response.status === 200) await response.body!.getReader().read();
        leaving.abort();
      }
      const again = async (): Promise<number> => {
        const headers = { Authorization: `Bearer ${token}` };
        const whole = await fetch(`${app.url}/api/v1/users/me/export`, { headers });
        await whole.body?.cancel();
        return whole.status;
      };
      while ((await again()) !== 200);
      expect((await client.call('GET', '/users/me', { token })).status).toBe(200);
    });
  });

  it('administers an embedded database, beside the running app and without it', async () => {
    const DATA_DIR = await mkdtemp(path.join(os.tmpdir(), 'parley-test-embedded-'));
    const embedded = await runApp({ DATA_DIR, RATE_LIMIT: 'off' });
    const run = (...args: string[]) => runCommand(['dist/src/operations/cli/admin.js', ...args], { DATA_DIR });
    try {
      await new Client(embedded.url).register('first');
      expect(await run('user:promote', 'first')).toMatchObject({ code: 0, stdout: 'first is an administrator now.\n' });
    } finally {
      await embedded.stop();
    }
    expect((await run('user:list')).stdout).toContain('administrator');
    await rm(DATA_DIR, { recursive: true, force: true });
  }, 60_000);
});

/** The tables in which any row holds any of these texts in any column. */
async function whereNamed(sql: pg.Client, texts: string[]): Promise<string[]> {
  const tables = await sql.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
  );
  const found: string[] = [];
  for (const { name } of tables.rows) {
    const { rows } = await sql.query(
      `SELECT 1 FROM "${name}" AS row WHERE EXISTS (SELECT 1 FROM unnest($1::text[]) AS t WHERE row::text ILIKE '%' || t || '%')`,
      [texts],
    );
    if (rows.length > 0) found.push(name);
  }
  return found;
}

/** What is large is not in the content: to index that for the search would take a minute. */
async function fill(sql: pg.Client, room: string, author: string): Promise<void> {
  await sql.query(
    `WITH written AS (
       INSERT INTO messages (conversation_id, seq, id, rev, author_id, role, content, metadata)
       SELECT $1, n, gen_random_uuid(), n, $2, 'user', 'words ' || n, jsonb_build_object('note', repeat('words ', 350))
       FROM generate_series(1, $3::int) n
       RETURNING 1
     )
     UPDATE conversations SET last_seq = $3, last_rev = $3 WHERE id = $1`,
    [room, author, MESSAGES],
  );
}

async function readLines(response: Response, sample: () => Promise<number>) {
  const types = new Map<string, number>();
  let head = '';
  let rest = '';
  let memory = 0;
  let chunks = 0;
  let bytes = 0;
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    rest += chunk;
    bytes += chunk.length;
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { type } = JSON.parse(line) as { type: string };
      types.set(type, (types.get(type) ?? 0) + 1);
      if (head.length < 20_000) head += line;
    }
    chunks += 1;
    if (chunks % 100 === 0) memory = Math.max(memory, await sample());
  }
  return { types, head, memory, bytes };
}

/** Resident memory of a process in bytes. */
async function memoryOf(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout) * 1024;
}
