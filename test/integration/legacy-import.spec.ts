import Database from 'libsql';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { runCommand } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const LEGACY = 'dist/src/operations/cli/legacy.js';
const MIGRATIONS = 'dist/src/operations/cli/migrations.js';
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BCRYPT = '$2b$04$abcdefghijklmnopqrstuuOeYzDHxyGCQyM1yqOxW4s1aQ4v8O7fG';

describe('carrying old data over', () => {
  let database: TestDatabase;
  let client: pg.Client;
  let folder: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    folder = await mkdtemp(path.join(os.tmpdir(), 'parley-test-legacy-'));
    await chmod(folder, 0o755);
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
    await rm(folder, { recursive: true });
  });
  afterEach(async () => {
    await client.query(`TRUNCATE imports, users, conversations, servers CASCADE`);
    await client.query(`DELETE FROM agents WHERE slug <> 'echo'`);
  });

  const legacy = (...args: string[]) => runCommand([LEGACY, ...args], { DATABASE_URL: database.url });
  const carry = (from: string, source: string, ...more: string[]) =>
    legacy('import', '--from', from, '--source', source, '--rejects', path.join(folder, 'rejects.ndjson'), ...more);
  const rejects = async () =>
    (await readFile(path.join(folder, 'rejects.ndjson'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { table: string; reason: string });

  /** Everything in the database but the names of constraints: what a revert must restore. */
  async function dump(): Promise<string> {
    const { rows } = await client.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
    );
    const tables = [];
    for (const { name } of rows) {
      const content = await client.query(`SELECT t::text AS row FROM "${name}" t ORDER BY 1`);
      tables.push([name, content.rows]);
    }
    return JSON.stringify(tables);
  }

  function chatSessions(name: string, messages: number): string {
    const file = path.join(folder, name);
    const db = new Database(file);
    db.exec(`
      CREATE TABLE user (id INTEGER PRIMARY KEY, username TEXT, email TEXT, password TEXT);
      CREATE TABLE chat_session (id INTEGER PRIMARY KEY, title TEXT NOT NULL, created_at DATETIME,
        updated_at DATETIME, owner_id INTEGER NOT NULL);
      CREATE TABLE chat_message (id INTEGER, content TEXT, is_user_message BOOLEAN, created_at, session_id INTEGER);
      INSERT INTO user VALUES (1, 'ada', 'ada@example.org', '${BCRYPT}'), (2, 'bob', 'bob@example.org', 'open sesame');
      INSERT INTO chat_session VALUES (1, 'First', '2024-01-15 10:30:00', '2024-01-15 11:00:00', 1),
        (2, 'Second', '2024-01-16 10:30:00', '2024-01-16 11:00:00', 2);
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${messages})
      INSERT INTO chat_message SELECT i, 'message ' || i, i % 2, datetime(1705314600 + i, 'unixepoch'), 1 + i % 2 FROM n;`);
    db.close();
    return file;
  }

  it('keeps owners, order, times and sides, and adds nothing the second time', async () => {
    const file = chatSessions('twice.db', 10);
    const before = await readFile(file);
    const first = await carry('chat-sessions', file);
    expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: '' });
    expect(first.stdout).toContain('chat_message: 10 found = 10 to carry + 0 carried before + 0 rejected');
    expect(await readFile(file)).toEqual(before);
    const { rows } = await client.query(
      `SELECT m.seq, m.rev, m.role, m.content, u.username, u.kind, m.created_at AS at FROM messages m
       JOIN sessions s ON s.id = m.conversation_id JOIN users u ON u.id = s.owner_id
       WHERE s.external_id = '2' ORDER BY seq LIMIT 1`,
    );
    expect(rows).toEqual([
      {
        seq: '1',
        rev: '1',
        role: 'user',
        content: 'message 1',
        username: 'bob',
        kind: 'migrated',
        at: new Date(1705314601_000),
      },
    ]);
    const hashes = await client.query(`SELECT username, password_hash FROM users ORDER BY 1`);
    expect(hashes.rows).toEqual([
      { username: 'ada', password_hash: BCRYPT },
      { username: 'bob', password_hash: null },
    ]);

    const once = await dump();
    const second = await carry('chat-sessions', file);
    expect(second.code).toBe(0);
    expect(second.stdout).toContain('Nothing new');
    expect(await dump()).toBe(once);
  });

  it('leaves the database as it was after a revert, and refuses one over what people wrote', async () => {
    const before = await dump();
    await carry('chat-sessions', chatSessions('revert.db', 10));
    const { rows } = await client.query<{ id: string }>(`SELECT id FROM imports`);
    const id = rows[0]?.id ?? '';
    await client.query(`UPDATE conversations SET last_rev = last_rev + 1`);
    const refused = await legacy('revert', id);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('People have written');
    await client.query(`UPDATE conversations SET last_rev = last_rev - 1`);
    expect((await legacy('revert', id)).code).toBe(0);
    expect(await dump()).toBe(before);
  });

  it('gives the same result when it is killed at any moment and run again', async () => {
    const file = chatSessions('killed.db', 20_000);
    for (const delay of [150, 250, 350, 450, 600, 700, 800, 900]) {
      const args = [path.join(ROOT, LEGACY), 'import', '--from', 'chat-sessions', '--source', file];
      const child = spawn(process.execPath, args, {
        env: { ...process.env, DATABASE_URL: database.url },
        stdio: 'ignore',
      });
      const timer = setTimeout(() => child.kill('SIGKILL'), delay);
      await once(child, 'exit');
      clearTimeout(timer);
    }
    expect((await carry('chat-sessions', file)).code).toBe(0);
    const { rows } = await client.query(
      `SELECT c.last_seq AS last, count(m.id) AS size, count(i.target_id) AS known FROM conversations c
       JOIN messages m ON m.conversation_id = c.id
       LEFT JOIN imported_ids i ON i.target_id = m.id AND i.kind = 'message' GROUP BY c.id`,
    );
    expect(rows).toEqual([
      { last: '10000', size: '10000', known: '10000' },
      { last: '10000', size: '10000', known: '10000' },
    ]);
    expect((await client.query(`SELECT 1 FROM imports`)).rowCount).toBe(1);
  }, 60_000);

  it('is a migration with LEGACY_SQLITE, recorded, and taken out by a revert without the variable', async () => {
    const file = chatSessions('migration.db', 4);
    const env = { DATABASE_URL: database.url, LEGACY_SQLITE: file };
    const before = await dump();
    expect((await runCommand([MIGRATIONS, 'run'], env)).stdout).toContain('applied CarryLegacySqlite');
    expect((await runCommand([MIGRATIONS, 'run'], env)).stdout).toContain('Nothing to do');
    const plain = { DATABASE_URL: database.url };
    expect((await runCommand([MIGRATIONS, 'run'], plain)).stdout).toContain('Nothing to do');
    expect((await runCommand([MIGRATIONS, 'revert'], plain)).stdout).toContain('reverted CarryLegacySqlite');
    expect(await dump()).toBe(before);
  });

  it('rejects, with a reason each, what it cannot carry, and shows unstorable characters by their stand-ins', async () => {
    const file = chatSessions('broken.db', 2);
    const db = new Database(file);
    db.exec(`INSERT INTO chat_message VALUES (1, 'again', 1, '2024-01-01', 1), (50, 'lost', 1, '2024-01-01', 99),
      (51, 'when', 1, 'yesterday', 1), (52, NULL, 1, '2024-01-01', 1), (53, 'a' || char(0) || 'b', 1, 1705314600, 1),
      (54, CAST(x'61EDA08062' AS TEXT), 1, 1705314600000, 1), (55, 'x', 7, '2024-01-01', 1)`);
    db.prepare(`INSERT INTO chat_message VALUES (56, ?, 1, '2024-02-01', 1)`).run('y'.repeat(10_000_000));
    db.close();
    const { code, stdout } = await carry('chat-sessions', file);
    expect(code).toBe(2);
    expect(stdout).toContain('chat_message: 10 found = 5 to carry + 0 carried before + 5 rejected');
    expect((await rejects()).map(({ reason }) => reason)).toEqual([
      'duplicate id',
      'orphaned message: its conversation is missing or was not carried',
      'unreadable date',
      'content is missing',
      'unknown role',
    ]);
    const { rows } = await client.query<{ content: string; at: Date }>(
      `SELECT content, created_at AS at FROM messages WHERE content LIKE 'a%' ORDER BY seq`,
    );
    expect(rows).toEqual([
      { content: 'a\u2400b', at: new Date(1705314600_000) },
      { content: 'a\ufffd\ufffd\ufffdb', at: new Date(1705314600_000) },
    ]);
  });

  it('says in a sentence what is wrong with a file that is no source', async () => {
    const truncated = chatSessions('truncated.db', 2000);
    await truncate(truncated, 20_000);
    const other = path.join(folder, 'other.db');
    const unrelated = new Database(other);
    unrelated.exec('CREATE TABLE t (a)');
    unrelated.close();
    await writeFile(path.join(folder, 'text.db'), 'hello '.repeat(100));
    const locked = chatSessions('locked.db', 2);
    const holder = new Database(locked);
    holder.exec('BEGIN EXCLUSIVE');
    const answers = [];
    for (const file of [truncated, other, path.join(folder, 'text.db'), locked, path.join(folder, 'none.db')]) {
      const { code, stderr } = await carry('chat-sessions', file);
      expect({ code, stack: /\n\s+at /.test(stderr) }).toEqual({ code: 1, stack: false });
      answers.push(stderr);
    }
    holder.close();
    expect(answers).toEqual([
      expect.stringContaining('damaged or truncated'),
      expect.stringContaining('has no tables'),
      expect.stringContaining('no SQLite database'),
      expect.stringContaining('is locked'),
      expect.stringContaining('cannot be read'),
    ]);
  });

  it('reads both forms of extended JSON, gives what has no owner to one account, and hands that over', async () => {
    const oid = (n: number) => n.toString(16).padStart(24, '0');
    const sessions = [
      { _id: { $oid: oid(1) }, characterId: 'merlin', createdAt: { $date: '2024-01-15T10:30:00Z' } },
      {
        _id: { $oid: oid(2) },
        characterId: 'merlin',
        userId: 'u9',
        createdAt: { $date: { $numberLong: '1705314600000' } },
      },
    ];
    const message = {
      _id: { $oid: oid(3) },
      sessionId: oid(1),
      role: 'user',
      content: 'hi',
      createdAt: { $date: '2024-01-15T10:31:00Z' },
    };
    await writeFile(path.join(folder, 'chatsessions.json'), JSON.stringify(sessions));
    await writeFile(path.join(folder, 'chatmessages.json'), `${JSON.stringify(message)}\nnot json\n`);
    expect((await carry('characters', folder)).code).toBe(2);
    const { rows } = await client.query<{ id: string }>(`SELECT id FROM imports`);
    await client.query(
      `INSERT INTO users (id, username, username_key, display_name)
       VALUES ('01990000-0000-7000-8000-00000000aaaa', 'eve', 'eve', 'Eve')`,
    );
    const assigned = await legacy('assign', rows[0]?.id ?? '', '--to', 'eve');
    expect(assigned.stdout).toContain('handed 1 sessions and 1 messages to eve');
    const owned = await client.query(
      `SELECT s.external_id AS ext, u.username, a.slug, a.enabled, s.standing FROM sessions s
       JOIN users u ON u.id = s.owner_id JOIN agents a ON a.id = s.agent_id ORDER BY 1`,
    );
    expect(owned.rows).toEqual([
      { ext: oid(1), username: 'eve', slug: 'merlin', enabled: false, standing: true },
      { ext: oid(2), username: 'u9', slug: 'merlin', enabled: false, standing: true },
    ]);
  });
});
