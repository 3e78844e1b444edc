import Database from 'libsql';
import { copyFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { LegacyHouse } from '../support/legacy-commands.js';
import { chatSessions, conversations, OPEN_SESAME, sqlite } from '../support/old-stores.js';

describe('carrying an old SQLite file over', () => {
  let house: LegacyHouse;

  beforeAll(async () => (house = await LegacyHouse.open()), 60_000);
  afterAll(() => house.close(), 60_000);
  afterEach(() => house.empty(), 60_000);

  /** Every file beside the source and what it holds. */
  async function surroundings(): Promise<Record<string, string>> {
    const names = (await readdir(house.folder)).sort();
    const texts = await Promise.all(names.map((name) => readFile(house.path(name), 'base64')));
    return Object.fromEntries(names.map((name, at) => [name, texts[at] ?? '']));
  }

  it('keeps owners, order, times and sides, leaves the file as it is, and adds nothing the second time', async () => {
    const file = chatSessions(house.path('twice.db'), 10);
    const around = await surroundings();
    const first = await house.carry('chat-sessions', file);
    expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: expect.not.stringMatching('at ') });
    expect(first.stderr).toMatch(/read 14\/14 rows, \d+\/s, \d+ s left/);
    // As if it had begun when the first messages were written already.
    expect(first.stderr).not.toContain('written 10/10 rows, 10000/s');
    expect(first.stdout).toContain('chat_message: 10 found = 10 to carry + 0 carried before + 0 rejected');
    expect(first.stdout).toMatch(/\n {2}1: source 5 (\w{12}) \| target 5 \1 \| equal\n {2}2: /);
    expect(first.stdout).toContain('Updated 2 conversations and 10 messages; none is left without an owner.');
    expect(await surroundings()).toEqual(around);

    const messages = await house.rows(
      `SELECT m.seq::int, m.rev::int, m.role, m.content, u.username, u.kind, m.created_at AS at FROM messages m
       JOIN sessions s ON s.id = m.conversation_id JOIN users u ON u.id = s.owner_id
       WHERE s.external_id = '2' ORDER BY seq LIMIT 2`,
    );
    const bob = { username: 'bob', kind: 'migrated' };
    expect(messages).toEqual([
      { seq: 1, rev: 1, role: 'user', content: 'message 1', ...bob, at: new Date(1705314601_000) },
      { seq: 2, rev: 2, role: 'user', content: 'message 3', ...bob, at: new Date(1705314603_000) },
    ]);
    const room = await house.rows(
      `SELECT c.last_seq::int, c.last_rev::int, c.last_message_at AS at, s.title, s.created_at AS born, r.seq::int AS read
       FROM sessions s JOIN conversations c ON c.id = s.id JOIN read_markers r ON r.conversation_id = s.id
       WHERE s.external_id = '1'`,
    );
    expect(room).toEqual([
      {
        last_seq: 5,
        last_rev: 5,
        at: new Date(1705314610_000),
        title: 'First',
        born: new Date('2024-01-15T10:30:00.000Z'),
        read: 5,
      },
    ]);
    const hashes = await house.rows(`SELECT username, password_hash AS hash FROM users ORDER BY 1`);
    expect(hashes).toEqual([
      { username: 'ada', hash: OPEN_SESAME.bcrypt },
      { username: 'bob', hash: OPEN_SESAME.werkzeug },
    ]);

    const once = await house.dump();
    const second = await house.carry('chat-sessions', file);
    expect(second.code).toBe(0);
    expect(second.stdout).toContain('chat_message: 10 found = 0 to carry + 10 carried before + 0 rejected');
    expect(second.stdout).toContain('Nothing new');
    expect(await house.dump()).toEqual(once);
  }, 180_000);

  it('only tells in a rehearsal', async () => {
    const before = await house.dump();
    const file = chatSessions(house.path('dry.db'), 4, 'ALTER TABLE user RENAME TO users');
    const { code, stdout } = await house.carry('chat-sessions', file, '--dry-run');
    expect(stdout).toContain('users: 2 found = 2 to carry');
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('4 found = 4 to carry') });
    expect(await house.dump()).toEqual(before);
  }, 180_000);

  it.each([
    ['this release', ''],
    ['an earlier release, which kept no revs from before', `DELETE FROM imported_ids WHERE kind = 'change'`],
  ])(
    'takes out what a file gave first and what it gave later, imported by %s',
    async (_, kept) => {
      const file = chatSessions(house.path(`revert-${kept.length}.db`), 10);
      const before = await house.dump();
      const first = await house.carried('chat-sessions', file);
      const between = await house.dump();
      sqlite(file, `INSERT INTO chat_message VALUES (90, 'later', 1, '2024-03-01', 1)`);
      const second = await house.carried('chat-sessions', file);
      expect((await house.legacy('list')).stdout.split('\n').map((line) => line.split(' ')[0])).toEqual([
        first,
        second,
        '',
      ]);

      await house.client.query(kept);
      const tooEarly = await house.legacy('revert', first);
      expect(tooEarly).toMatchObject({ code: 1, stderr: expect.stringContaining(`${second} builds on this one`) });
      expect((await house.legacy('revert', second)).code).toBe(0);
      expect(await house.dump()).toEqual(between);
      expect((await house.legacy('revert', first)).code).toBe(0);
      expect(await house.dump()).toEqual(before);
    },
    180_000,
  );

  it('stops a revert over what people wrote since, naming it, and carries on after them', async () => {
    const file = chatSessions(house.path('people.db'), 4);
    const id = await house.carried('chat-sessions', file);
    await house.client.query(
      `WITH room AS (
         UPDATE conversations SET last_seq = last_seq + 1, last_rev = last_rev + 1
         WHERE id = (SELECT id FROM sessions WHERE external_id = '1') RETURNING *)
       INSERT INTO messages (conversation_id, seq, rev, id, author_id, role, content)
       SELECT room.id, last_seq, last_rev, gen_random_uuid(), owner_id, 'user', 'new'
       FROM room JOIN sessions s ON s.id = room.id`,
    );
    const after = await house.dump();
    const refused = await house.legacy('revert', id);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /Nothing was reverted: people.*\n {2}conversation 1: 1 change\(s\), message \S+ by ada of/,
    );
    expect(await house.dump()).toEqual(after);

    sqlite(file, `INSERT INTO chat_message VALUES (90, 'later', 1, '2024-03-01', 1)`);
    const second = await house.carried('chat-sessions', file);
    const contents = await house.rows<{ content: string; seq: string }>(
      `SELECT content, seq FROM messages m JOIN sessions s ON s.id = conversation_id AND external_id = '1' ORDER BY seq`,
    );
    expect(contents.map(({ content }) => content)).toEqual(['message 2', 'message 4', 'new', 'later']);
    expect((await house.legacy('revert', second)).code).toBe(1);
  }, 180_000);

  it('keeps the accounts that somebody uses, names them, and finds them again', async () => {
    const file = chatSessions(house.path('used.db'), 4);
    const id = await house.carried('chat-sessions', file);
    await house.client.query(
      `INSERT INTO logins (id, user_id, refresh_hash, family_hash, expires_at)
       SELECT gen_random_uuid(), id, 'a', 'b', now() FROM users WHERE username = 'ada'`,
    );
    expect((await house.legacy('revert', id)).stdout).toContain('kept the account ada: it is in use');
    const [ada] = await house.rows(`SELECT id, username FROM users`);
    expect(ada).toMatchObject({ username: 'ada' });
    await house.carried('chat-sessions', file);
    expect(await house.rows(`SELECT id, username FROM users ORDER BY username LIMIT 1`)).toEqual([ada]);
  }, 180_000);

  it('leaves no search to wait for what was piled up beside its indexes', async () => {
    await house.client.query(
      `SELECT gin_clean_pending_list('messages_words'), gin_clean_pending_list('messages_parts')`,
    );
    await house.carried('chat-sessions', chatSessions(house.path('piled.db'), 5_000));
    const [left] = await house.rows(
      `SELECT gin_clean_pending_list('messages_words')::int AS words, gin_clean_pending_list('messages_parts')::int AS parts`,
    );
    expect(left).toEqual({ words: 0, parts: 0 });
  }, 180_000);

  it('is a migration with LEGACY_SQLITE, recorded, and taken out by a revert without the variable', async () => {
    const env = { LEGACY_SQLITE: chatSessions(house.path('migration.db'), 4) };
    const before = await house.dump();
    const run = await house.migrations('run', env);
    expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining('applied CarryLegacySqlite') });
    expect(run.stdout).toMatch(/source 2 (\w+) \| target 2 \1 \| equal/);
    expect((await house.migrations('run', env)).stdout).toContain('Nothing to do');
    expect((await house.migrations('run')).stdout).toContain('Nothing to do');
    expect((await house.migrations('show')).stdout).toContain('[X] CarryLegacySqlite');
    const [row] = await house.rows<{ id: string }>(`SELECT id FROM imports`);
    expect((await house.legacy('revert', row?.id ?? '')).stderr).toContain('npm run migration:revert');
    expect((await house.migrations('revert')).stdout).toContain('reverted CarryLegacySqlite');
    expect(await house.dump()).toEqual(before);

    const unknown = sqlite(house.path('unknown.db'), 'CREATE TABLE t (a)');
    const refused = await house.migrations('run', { LEGACY_SQLITE: unknown });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('of no known system (its tables: t)') });
  }, 180_000);

  it('rejects what it cannot carry, with the row and a reason, and names what is left out or replaced', async () => {
    const file = chatSessions(
      house.path('broken.db'),
      2,
      `ALTER TABLE chat_session ADD pinned; UPDATE chat_session SET pinned = 1 WHERE id = 2;
       ALTER TABLE user ADD phone; CREATE TABLE setting (a); INSERT INTO setting VALUES (1), (2);
       INSERT INTO user VALUES (3, 'eve', NULL, 'plain text', NULL, NULL);
       INSERT INTO chat_session VALUES (3, 'Nobody''s', '2024-01-01', NULL, 99, NULL);
       INSERT INTO chat_message VALUES (1, 'again', 1, '2024-01-01', 1), (50, 'lost', 1, '2024-01-01', 98),
         (51, 'when', 1, '2024-02-31', 1), (52, NULL, 1, '2024-01-01', 1), (53, 'a' || char(0) || 'b', 1, 1705314600, 1),
         (54, CAST(x'61EDA08062' AS TEXT), 1, 1705314600000, 1), (55, 'x', 7, '2024-01-01', 1),
         (57, 'his', 1, '2024-01-01', 3)`,
    );
    const db = new Database(file);
    const insert = db.prepare(`INSERT INTO chat_message VALUES (?, ?, 1, '2024-02-01', 1)`);
    insert.run(56, 'y'.repeat(10_000_000));
    insert.run(58, 'z'.repeat(150_000));
    insert.run(59, '\u00fc'.repeat(50_001));
    db.close();
    const { code, stdout, stderr } = await house.carry('chat-sessions', file);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.not.stringMatching(/\n\s+at /) });
    expect(stdout).toContain('chat_session: 3 found = 2 to carry + 0 carried before + 1 rejected');
    expect(stdout).toContain('chat_message: 13 found = 5 to carry + 0 carried before + 8 rejected');
    for (const name of [
      'chat_session.pinned (1)',
      'user.password (no hash of a known form) (1)',
      'setting (table) (2)',
    ]) {
      expect(stdout).toContain(`  ${name}\n`);
    }
    expect(stdout).not.toContain('phone');
    expect(stdout).toContain('Unstorable characters replaced in:\n  chat_message.content (2)');
    const told = (await house.rejects()).map(({ table, row, reason }) => `${table} ${String(row.id)}: ${reason}`);
    expect(told).toEqual([
      'chat_session 3: its owner is not in the source, or has been deleted here',
      'chat_message 1: duplicate id',
      'chat_message 50: orphaned message: its conversation is missing or was not carried',
      'chat_message 51: unreadable date',
      'chat_message 52: content is missing',
      'chat_message 55: unknown role',
      'chat_message 57: orphaned message: its conversation is missing or was not carried',
      'chat_message 56: content is longer than 200000 characters (one beyond ASCII counts for four)',
      'chat_message 59: content is longer than 200000 characters (one beyond ASCII counts for four)',
    ]);
    const kept = await house.rows(
      `SELECT left(content, 5) AS content, length(content) AS size, created_at AS at FROM messages
       WHERE content ~ '^[az]' ORDER BY seq`,
    );
    expect(kept).toEqual([
      { content: 'a\u2400b', size: 3, at: new Date(1705314600_000) },
      { content: 'a\ufffd\ufffd\ufffdb', size: 5, at: new Date(1705314600_000) },
      { content: 'zzzzz', size: 150_000, at: new Date('2024-02-01') },
    ]);
  }, 180_000);

  it('carries on past names, addresses, ids and metadata that no index and no walk could hold', async () => {
    const long = (start: number, size: number) =>
      Array.from({ length: size }, (_, at) => String.fromCodePoint(start + ((at * 7919) % 20_000))).join('');
    const file = chatSessions(house.path('long.db'), 2);
    let db = new Database(file);
    const person = db.prepare(`INSERT INTO user VALUES (?, ?, ?, NULL, NULL)`);
    person.run(3, `n${long(0x20000, 300)}`, `${long(0x4e00, 3000)}@example.org`);
    person.run(4, '🎉', null);
    db.prepare(`UPDATE chat_session SET title = ?`).run(long(0x4e00, 20_000));
    db.close();
    const first = await house.carry('chat-sessions', file);
    expect({ code: first.code, stderr: first.stderr }).toEqual({
      code: 0,
      stderr: expect.not.stringContaining('index'),
    });
    expect(first.stdout).toContain('@example.org -> no address');
    const people = await house.rows(`SELECT char_length(username) AS size, username, email FROM users ORDER BY 1 DESC`);
    expect(people[0]).toMatchObject({ size: 200, email: null });
    expect(people.map(({ username }) => username)).toContain('user-4');

    const deep = (open: string, inner: string, close: string) => open.repeat(5000) + inner + close.repeat(5000);
    db = new Database(conversations(house.path('deep.db')));
    const message = db.prepare(`INSERT INTO messages VALUES (?, 'c-1', 'user', 'x', ?, NULL, ?, NULL)`);
    message.run('m-7', 7, deep('{"a":', '1', '}'));
    message.run(long(0x4e00, 400), 8, deep('[', '', ']'));
    db.close();
    const second = await house.carry('conversations', house.path('deep.db'));
    expect({ code: second.code, stderr: second.stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('written'),
    });
    expect((await house.rejects()).map(({ reason }) => reason)).toEqual(['id is longer than 1000 bytes']);
    const [kept] = await house.rows<{ legacy: string }>(
      `SELECT metadata ->> 'legacy' AS legacy FROM messages WHERE content = 'x'`,
    );
    expect(kept?.legacy).toBe(deep('{"a":', '1', '}'));
  }, 180_000);

  it('says in a sentence that the file of rejects cannot be written, and carries nothing', async () => {
    const file = chatSessions(
      house.path('rejecting.db'),
      2,
      `INSERT INTO chat_message VALUES (50, 'lost', 1, NULL, 98)`,
    );
    const before = await house.dump();
    for (const place of [house.folder, house.path('no/such/folder.ndjson')]) {
      const { code, stderr } = await house.legacy(
        ...['import', '--from', 'chat-sessions', '--source', file, '--rejects', place],
      );
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining('file of rejects cannot be written'),
      });
      expect(stderr).not.toMatch(/\n\s+at /);
    }
    expect(await house.dump()).toEqual(before);
  }, 180_000);

  it('says in a sentence what is wrong with a file that is no source', async () => {
    const truncated = chatSessions(house.path('truncated.db'), 2000);
    const torn = house.path('torn.db');
    const bytes = await readFile(truncated);
    await writeFile(torn, bytes.copyWithin(10 * 4096, 11 * 4096, 12 * 4096));
    await truncate(truncated, 20_000);
    const header = house.path('header.db');
    await writeFile(header, (await readFile(truncated)).subarray(0, 100));
    const other = sqlite(house.path('other.db'), 'CREATE TABLE t (a)');
    const sideless = sqlite(
      house.path('sideless.db'),
      'CREATE TABLE chat_session (id); CREATE TABLE chat_message (id, session_id, role, content)',
    );
    await writeFile(house.path('text.db'), 'hello '.repeat(100));
    const locked = chatSessions(house.path('locked.db'), 2);
    const holder = new Database(locked);
    holder.exec('BEGIN EXCLUSIVE; DELETE FROM chat_message');
    const answers = [];
    const files = [
      truncated,
      torn,
      header,
      other,
      sideless,
      house.path('text.db'),
      locked,
      house.path('none.db'),
      house.folder,
    ];
    for (const file of files) {
      const { code, stderr } = await house.carry('chat-sessions', file);
      expect({ file, code, stack: /\n\s+at /.test(stderr) }).toEqual({ file, code: 1, stack: false });
      answers.push(stderr);
    }
    holder.exec('ROLLBACK');
    holder.close();
    expect(answers).toEqual([
      expect.stringContaining('damaged or truncated'),
      expect.stringContaining('damaged or truncated'),
      expect.stringMatching(/damaged or truncated|has no tables/),
      expect.stringContaining('has no tables'),
      expect.stringContaining('has no column is_user_message'),
      expect.stringContaining('no SQLite database'),
      expect.stringContaining('is locked'),
      expect.stringContaining('cannot be read'),
      expect.stringContaining('cannot be read'),
    ]);
  }, 180_000);

  it('reads what is still in the log of a file, and writes nothing beside it', async () => {
    const live = new Database(chatSessions(house.path('live.db'), 2));
    live.exec(`PRAGMA journal_mode = WAL; INSERT INTO chat_message VALUES (70, 'in the log', 1, '2024-03-01', 1)`);
    for (const ending of ['', '-wal'])
      await copyFile(`${house.path('live.db')}${ending}`, house.path(`wal.db${ending}`));
    live.close();
    const around = await surroundings();
    expect((await house.carry('chat-sessions', house.path('wal.db'))).code).toBe(0);
    expect(await house.rows(`SELECT 1 FROM messages WHERE content = 'in the log'`)).toHaveLength(1);
    expect(await surroundings()).toEqual(around);
  }, 180_000);

  it('tells two installations with the same numbers apart, and never takes one for the other', async () => {
    await house.carried('chat-sessions', chatSessions(house.path('berlin.db'), 4), '--label', 'berlin');
    const paris = chatSessions(house.path('paris.db'), 6, `UPDATE chat_session SET created_at = '2023-05-05'`);
    const mixed = await house.carry('chat-sessions', paris, '--label', 'berlin');
    expect(mixed.code).toBe(2);
    const reasons = (await house.rejects()).map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason.includes('another conversation was carried before'))).toHaveLength(4);
    const again = await house.carry('chat-sessions', house.path('berlin.db'), '--label', 'wrong');
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('with the label "berlin"') });
    expect((await house.carry('chat-sessions', paris, '--label', 'paris')).stdout).toContain('ada -> ada-legacy');
    expect(await house.rows(`SELECT count(*)::int AS size FROM messages`)).toEqual([{ size: 10 }]);
  }, 180_000);

  it('gives a single-person file to one account, in its own order, with tokens and metadata', async () => {
    const file = conversations(
      house.path('d.db'),
      `INSERT INTO messages VALUES ('m-4', 'c-1', 'user', 'x', 4, 'many', NULL, NULL),
         ('m-5', 'c-1', 'tool', 'x', 5, 1, NULL, NULL), ('m-6', 'c-1', 'user', 'no time', 6, '7', '[1]', NULL)`,
    );
    expect((await house.carry('conversations', file)).code).toBe(2);
    expect((await house.rejects()).map(({ reason }) => reason)).toEqual(['tokens_used is no number', 'unknown role']);
    const rows = await house.rows(
      `SELECT u.username, s.title, m.role, m.content, m.tokens_used AS tokens, m.metadata, m.created_at AS at
       FROM messages m JOIN sessions s ON s.id = m.conversation_id JOIN users u ON u.id = s.owner_id ORDER BY seq`,
    );
    const head = { username: 'migrated_user', title: 'Migrated Conversation' };
    const at = (seconds: number) => new Date(1705314600_000 + seconds * 1000);
    expect(rows).toEqual([
      { ...head, role: 'user', content: 'Hi!', tokens: null, metadata: { legacy: 'not { json' }, at: at(1) },
      { ...head, role: 'agent', content: 'Hello.', tokens: 12, metadata: { model: 'gpt', at: [1] }, at: at(2) },
      { ...head, role: 'system', content: 'Bye.', tokens: 0, metadata: null, at: at(3) },
      { ...head, role: 'user', content: 'no time', tokens: 7, metadata: { legacy: '[1]' }, at: at(0) },
    ]);
  }, 180_000);

  it('gives it to the named account instead, which a revert leaves alone', async () => {
    await house.client.query(
      `INSERT INTO users (id, username, username_key, display_name) VALUES (gen_random_uuid(), 'Eve', 'eve', 'Eve')`,
    );
    const before = await house.dump();
    const file = conversations(house.path('owned.db'));
    expect((await house.carry('conversations', file, '--owner', 'nobody')).stderr).toBe(
      'There is no account named nobody.\n',
    );
    const id = await house.carried('conversations', file, '--owner', 'eve');
    const owners = await house.rows(`SELECT username FROM sessions s JOIN users u ON u.id = owner_id`);
    expect(owners).toEqual([{ username: 'Eve' }]);
    expect((await house.legacy('revert', id)).code).toBe(0);
    expect(await house.dump()).toEqual(before);
  }, 60_000);
});
