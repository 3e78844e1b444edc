import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { LEGACY, LegacyHouse } from '../support/legacy-commands.js';
import { communityServers, day, dayInNumbers, mongoFolder, oid } from '../support/old-stores.js';
import { runCommand } from '../support/run-app.js';
import { createEmptyDatabase, type TestDatabase } from '../support/test-database.js';

describe('the exports of MongoDB', () => {
  let house: LegacyHouse;

  beforeAll(async () => (house = await LegacyHouse.open()), 60_000);
  afterAll(() => house.close(), 60_000);
  afterEach(() => house.empty(), 60_000);

  const sessions = [
    { _id: oid(1), characterId: 'merlin', createdAt: day(1), updatedAt: day(2), __v: 0 },
    { _id: oid(2), characterId: 'merlin', userId: 'u9', createdAt: dayInNumbers(2) },
    { _id: oid(3), characterId: 'merlin', createdAt: day(3), updatedAt: day(9) },
  ];
  const messages = [
    { _id: oid(12), sessionId: oid(1), sender: 'character', content: 'Hello.', createdAt: dayInNumbers(3), __v: 0 },
    { _id: oid(11), sessionId: oid(1), role: 'user', content: 'Hi \ud800!', createdAt: day(2) },
    { _id: oid(13), sessionId: oid(2), role: 'user', userId: 'u9', content: 'Me', createdAt: day(4) },
  ];

  it('gives characters sessions with an agent that is switched off, and what has no owner to one account', async () => {
    const folder = await mongoFolder(house.path('a'), sessions, messages);
    const { code, stdout } = await house.carry('characters', folder);
    expect(code).toBe(0);
    expect(stdout).toContain('chatmessages: 3 found = 3 to carry');
    for (const line of ['chatsessions.__v (1)', 'chatmessages.__v (1)', 'chatmessages.content (1)']) {
      expect(stdout).toContain(`  ${line}\n`);
    }
    expect(stdout).toContain('Accounts made: 2; agents made, switched off: 1.');
    expect(stdout).toContain('Updated 3 conversations and 3 messages; none is left without an owner.');
    const owned = await house.rows(
      `SELECT s.external_id AS ext, left(u.username, 12) AS owner, a.slug, a.enabled, s.standing
       FROM sessions s JOIN users u ON u.id = s.owner_id JOIN agents a ON a.id = s.agent_id ORDER BY 1`,
    );
    const merlin = { slug: 'merlin', enabled: false };
    expect(owned).toEqual([
      { ext: oid(1).$oid, owner: 'legacy-user-', ...merlin, standing: false },
      { ext: oid(2).$oid, owner: 'u9', ...merlin, standing: true },
      { ext: oid(3).$oid, owner: 'legacy-user-', ...merlin, standing: true },
    ]);
    const said = await house.rows(
      `SELECT m.content, m.role, left(u.username, 12) AS by, a.slug, m.created_at AS at FROM messages m
       JOIN sessions s ON s.id = m.conversation_id LEFT JOIN users u ON u.id = m.author_id
       LEFT JOIN agents a ON a.id = m.agent_id ORDER BY s.external_id, seq`,
    );
    expect(said).toEqual([
      { content: 'Hi \ufffd!', role: 'user', by: 'legacy-user-', slug: null, at: new Date(day(2).$date) },
      { content: 'Hello.', role: 'agent', by: null, slug: 'merlin', at: new Date(day(3).$date) },
      { content: 'Me', role: 'user', by: 'u9', slug: null, at: new Date(day(4).$date) },
    ]);
  }, 180_000);

  it('hands what has no owner to a real account, whose own standing session and old ids stay, and reverts all the same', async () => {
    await house.client.query(
      `INSERT INTO users (id, username, username_key, display_name)
       VALUES ('01990000-0000-7000-8000-00000000aaaa', 'eve', 'eve', 'Eve')`,
    );
    const before = await house.dump();
    const id = await house.carried('characters', await mongoFolder(house.path('assign'), sessions, messages));
    await house.client.query(`
      INSERT INTO conversations (id, kind) VALUES ('01990000-0000-7000-8000-00000000bbbb', 'session');
      INSERT INTO sessions (id, owner_id, type, agent_id, standing, external_id)
      SELECT '01990000-0000-7000-8000-00000000bbbb', '01990000-0000-7000-8000-00000000aaaa', 'agent', a.id, true, '${oid(1).$oid}'
      FROM agents a WHERE slug = 'merlin'`);
    const assigned = await house.legacy('assign', id, '--to', 'Eve');
    expect(assigned.stdout).toBe('handed 2 sessions and 1 messages to Eve\n');
    const owned = await house.rows(
      `SELECT s.external_id AS ext, s.standing, c.last_seq::int AS size FROM sessions s JOIN conversations c ON c.id = s.id
       JOIN users u ON u.id = s.owner_id WHERE username = 'eve' ORDER BY s.created_at`,
    );
    expect(owned).toEqual([
      { ext: null, standing: false, size: 2 },
      { ext: oid(3).$oid, standing: false, size: 0 },
      { ext: oid(1).$oid, standing: true, size: 0 },
    ]);
    const again = await house.legacy('assign', id, '--to', 'eve');
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('no session without an owner') });
    expect((await house.legacy('assign', id, '--to', 'nobody')).stderr).toBe('There is no account named nobody.\n');

    expect((await house.legacy('revert', id)).stdout).toContain('kept the agent merlin: it is in use');
    await house.client.query(`DELETE FROM conversations; DELETE FROM agents WHERE slug = 'merlin'`);
    expect(await house.dump()).toEqual(before);
  }, 180_000);

  it('reads one document a line, rejects the lines and fields that are none, and refuses a broken array', async () => {
    const lines = [...messages.map((row) => JSON.stringify(row)), 'not json', '[1]', ''].join('\r\n');
    const wrong = [
      { _id: oid(20), sessionId: oid(1), role: 'user', content: 'x', createdAt: { $date: 'yesterday' } },
      { _id: oid(21), sessionId: oid(1), role: 'user', content: { deep: 1 }, createdAt: day(1) },
      { _id: oid(11), sessionId: oid(1), role: 'user', content: 'again', createdAt: day(1) },
      { _id: oid(22), sessionId: oid(99), role: 'user', content: 'lost', createdAt: day(1) },
      { _id: oid(23), sessionId: oid(1), role: 'wizard', content: 'x', createdAt: day(1) },
    ].map((row) => JSON.stringify(row));
    const folder = await mongoFolder(house.path('lines'), sessions, `${lines}${wrong.join('\n')}`);
    expect((await house.carry('characters', folder)).stdout).toContain(
      '10 found = 3 to carry + 0 carried before + 7 rejected',
    );
    expect((await house.rejects()).map(({ reason }) => reason)).toEqual([
      'not valid JSON',
      'not a document',
      'unreadable date',
      'content is not a text',
      'duplicate id',
      'orphaned message: its conversation is missing or was not carried',
      'unknown role',
    ]);

    const file = path.join(await mongoFolder(house.path('cut'), sessions, messages), 'chatmessages.json');
    await writeFile(file, (await readFile(file, 'utf8')).slice(0, -30));
    const cut = await house.carry('characters', house.path('cut'));
    expect(cut).toMatchObject({ code: 1, stderr: expect.stringMatching(/chatmessages.json is truncated or no JSON/) });
    expect((await house.carry('characters', house.folder)).stderr).toContain('has no chatsessions.json');
    expect((await house.carry('characters', file)).stderr).toContain('is no folder');
  }, 180_000);

  it('is stopped by no name of a field, no role that every object has, and no document that is nothing', async () => {
    const odd = [
      { _id: oid(24), sessionId: oid(1), role: 'constructor', content: 'x', createdAt: day(1) },
      { $undefined: true },
      { ...oid(25) },
    ];
    const named = messages.map((row) => ({ ...row, 'half\ud800': 1, 'nul\u0000': 1, constructor: 1 }));
    const folder = await mongoFolder(house.path('odd'), sessions, [...named, ...odd]);
    const { code, stdout } = await house.carry('characters', folder);
    expect({ code, stdout }).toEqual({ code: 2, stdout: expect.stringContaining('6 found = 3 to carry') });
    expect(stdout).toContain('chatmessages.half\ufffd (3)');
    expect(stdout).toContain('chatmessages.nul\u2400 (3)');
    expect((await house.rejects()).map(({ reason }) => reason)).toEqual([
      'unknown role',
      'not a document',
      'not a document',
    ]);
  }, 180_000);

  it('reads every form that mongoexport writes: relaxed and canonical, of today and of old, pretty or not', async () => {
    const at = new Date('2024-01-15T10:30:00.000Z');
    const forms: [object, unknown][] = [
      [oid(30), { $date: '2024-01-15T10:30:00Z' }],
      [oid(31), { $date: { $numberLong: String(at.getTime()) } }],
      [oid(32), { $date: at.getTime() }],
      [oid(33), { $date: '2024-01-15T10:30:00.000+0000' }],
      [oid(34), { $date: '2024-01-15T12:30:00.000+0200' }],
      [oid(35), at.getTime()],
      [oid(36), at.getTime() / 1000],
      [oid(37), '2024-01-15T10:30:00'],
      [{ $numberLong: '38' }, day(1)],
      [{ $numberInt: '39' }, day(1)],
      [{ $uuid: '0f9b1f9e-7e0c-4a0f-9d8e-1a2b3c4d5e6f' }, day(1)],
      [{ $binary: { base64: 'D5sfnn4MSg+djhorPE1ebw==', subType: '04' } }, day(1)],
    ];
    const [, session] = sessions;
    const rows = forms.map(([_id, createdAt]) => ({
      ...{ _id, sessionId: oid(2), role: 'bot' },
      content: 'x',
      createdAt,
    }));
    const pretty = (documents: unknown[]) => documents.map((each) => JSON.stringify(each, null, '\t')).join('\r\n');
    const written: [string, string, string][] = [
      ['array', `\uFEFF${JSON.stringify([session], null, 2)}`, JSON.stringify(rows)],
      ['lines', JSON.stringify(session), rows.map((row) => JSON.stringify(row)).join('\n')],
      ['pretty', pretty([session]), pretty(rows)],
    ];
    const contents = [];
    for (const [label, ...files] of written) {
      const { code, stdout } = await house.carry(
        ...(['characters', await mongoFolder(house.path(label), ...files), '--label', label] as const),
      );
      expect([label, code, stdout]).toEqual([label, 2, expect.stringContaining('12 found = 11 to carry')]);
      expect((await house.rejects()).map(({ reason }) => reason)).toEqual(['duplicate id']);
      contents.push(
        await house.rows(`SELECT i.external_id AS ext, m.created_at AS at FROM imported_ids i JOIN messages m
          ON m.id = i.target_id WHERE i.kind = 'message' ORDER BY 1`),
      );
      await house.empty();
    }
    expect(contents[1]).toEqual(contents[0]);
    expect(contents[2]).toEqual(contents[0]);
    expect(contents[0]?.filter((row) => (row.at as Date).getTime() === at.getTime())).toHaveLength(8);
    expect(contents[0]?.map(({ ext }) => ext)).toEqual(
      expect.arrayContaining(['38', '39', '0f9b1f9e-7e0c-4a0f-9d8e-1a2b3c4d5e6f', oid(30).$oid]),
    );
  }, 180_000);

  it('names the bytes that are no UTF-8, takes ten megabytes for a reject, and refuses what is UTF-16', async () => {
    const message = (n: number, content: string) =>
      JSON.stringify({ ...{ _id: oid(n), sessionId: oid(2), role: 'user', createdAt: day(1) }, content });
    const separated = message(40, 'one\u2028line');
    const broken = Buffer.from(message(41, 'ol\u00e9'), 'latin1');
    const deep = message(43, '').replace('""', `${'['.repeat(5000)}${']'.repeat(5000)}`);
    const big = message(42, 'y'.repeat(10_000_000));
    const folder = await mongoFolder(house.path('bytes'), sessions, '');
    const file = path.join(folder, 'chatmessages.json');
    await writeFile(file, Buffer.concat([Buffer.from(`${separated}\n`), broken, Buffer.from(`\n${big}\n${deep}`)]));
    const { code, stdout } = await house.carry('characters', folder);
    expect(code).toBe(2);
    expect(stdout).toContain('chatmessages: 4 found = 2 to carry + 0 carried before + 2 rejected');
    expect(stdout).toContain('Unstorable characters replaced in:\n  chatmessages.content (1)');
    expect((await house.rejects()).map(({ reason }) => reason)).toEqual([
      'content is longer than 200000 characters (one beyond ASCII counts for four)',
      'nested too deeply',
    ]);
    expect(await house.rows(`SELECT content FROM messages ORDER BY seq`)).toEqual([
      { content: 'one\u2028line' },
      { content: 'ol\ufffd' },
    ]);
    await writeFile(file, Buffer.concat([Buffer.from('['), broken, Buffer.from(']')]));
    expect((await house.carry('characters', folder)).stderr).toMatch(/chatmessages.json is truncated or no JSON/);
    await writeFile(file, Buffer.from(`\ufeff[${message(44, 'x')}]`, 'utf16le'));
    expect((await house.carry('characters', folder)).stderr).toMatch(/chatmessages.json is UTF-16: save it as UTF-8/);
  }, 180_000);

  it('keeps the sides of peer sessions, who helped, what is closed and when it was read', async () => {
    const folder = await mongoFolder(
      house.path('c'),
      [
        {
          _id: oid(1),
          sessionId: 'peer-1',
          userId: 'u1',
          type: 'peer',
          status: 'closed',
          peerAdvocateId: 'a1',
          createdAt: day(1),
          updatedAt: day(2),
          lastMessageAt: day(5),
        },
        { _id: oid(2), sessionId: 's-2', type: 'agent', status: 'open', createdAt: day(1), lastMessageAt: day(3) },
        { _id: oid(3), sessionId: 's-3', type: 'agent', status: 'archived', createdAt: day(1) },
      ],
      [
        {
          ...{ _id: oid(10), sessionId: 'peer-1', userId: 'u1', role: 'user', source: 'peer', content: 'Help' },
          ...{ createdAt: day(2), readAt: day(3) },
        },
        {
          ...{ _id: oid(11), sessionId: 'peer-1', userId: 'u1', peerAdvocateId: 'a1', role: 'peer', source: 'peer' },
          ...{ content: 'Yes', createdAt: day(5) },
        },
        { _id: oid(12), sessionId: 's-2', role: 'agent', source: 'agent', content: 'Hm', createdAt: day(3) },
      ],
    );
    const { code, stdout } = await house.carry('peer-chat', folder);
    expect(code).toBe(2);
    expect((await house.rejects()).map(({ reason }) => reason)).toEqual(['unknown status']);
    for (const line of ['chatsessions.lastMessageAt (1)', 'chatmessages.userId (1)', 'chatsessions._id (2)']) {
      expect(stdout).toContain(`  ${line}\n`);
    }
    const rows = await house.rows(
      `SELECT s.external_id AS ext, s.type, s.status, c.closed, h.username AS helper, m.role, u.username AS by, m.metadata
       FROM messages m JOIN sessions s ON s.id = m.conversation_id JOIN conversations c ON c.id = s.id
       LEFT JOIN users h ON h.id = s.advocate_id LEFT JOIN users u ON u.id = m.author_id ORDER BY 1, m.seq`,
    );
    const peer = { ext: 'peer-1', type: 'peer', status: 'closed', closed: true, helper: 'a1' };
    expect(rows).toEqual([
      { ...peer, role: 'user', by: 'u1', metadata: { source: 'peer', readAt: '2024-01-03T10:00:00.000Z' } },
      { ...peer, role: 'peer', by: 'a1', metadata: { source: 'peer' } },
      {
        ...{ ext: 's-2', type: 'agent', status: 'open', closed: false, helper: null },
        ...{ role: 'agent', by: null, metadata: { source: 'agent' } },
      },
    ]);
  }, 180_000);

  it('keeps when the other side had read a message, and a revert of what came later takes just that out', async () => {
    const peer = { sessionId: 'peer-1', userId: 'u1', peerAdvocateId: 'a1', source: 'peer', content: 'x' };
    const sessions = [{ ...peer, _id: oid(1), type: 'peer', createdAt: day(1) }];
    const messages = [{ ...peer, _id: oid(10), role: 'user', createdAt: day(2), readAt: day(3) }];
    await house.carried('peer-chat', await mongoFolder(house.path('read'), sessions, messages));
    const once = await house.dump();
    const later = { ...peer, _id: oid(11), role: 'peer', createdAt: day(4), readAt: day(5) };
    const id = await house.carried('peer-chat', await mongoFolder(house.path('read'), sessions, [...messages, later]));
    expect(await house.rows(`SELECT by_owner, seq::int, read_at FROM read_times ORDER BY seq`)).toEqual([
      { by_owner: false, seq: 1, read_at: new Date(day(3).$date) },
      { by_owner: true, seq: 2, read_at: new Date(day(5).$date) },
    ]);
    expect((await house.legacy('revert', id)).code).toBe(0);
    expect(await house.dump()).toEqual(once);
  }, 180_000);

  describe('the community servers', () => {
    let old: TestDatabase;
    /** The same with a change. */
    let odd: TestDatabase;

    beforeAll(async () => {
      old = await createEmptyDatabase();
      await communityServers(old.url);
    });
    beforeEach(async () => (odd = await createEmptyDatabase()));
    afterEach(() => odd.drop());
    afterAll(() => old.drop());

    const withChange = (sql: string) => communityServers(odd.url, sql);

    it('come through a cursor from PostgreSQL, with roles, channels and times as UTC, and go again', async () => {
      const before = await house.dump();
      const { code, stdout } = await house.carry('servers', old.url);
      expect(code).toBe(2);
      expect(stdout).toContain('chatmessage: 5000 found = 5000 to carry + 0 carried before + 0 rejected');
      expect((await house.rejects()).map(({ table, reason }) => `${table}: ${reason}`)).toEqual([
        'servermembership: duplicate: this person is a member already',
        'servermembership: its person is not in the source, or has been deleted here',
      ]);
      for (const line of ['users.phone (1)', 'chatserver.icon (1)', 'todo (table) (2)']) {
        expect(stdout).toContain(`  ${line}\n`);
      }
      const password = decodeURIComponent(new URL(old.url).password);
      const [kept] = await house.rows<{ location: string; id: string }>(`SELECT id, location FROM imports`);
      expect(kept?.location).toMatch(/^postgres:\/\//);
      expect(`${stdout} ${kept?.location}`).not.toContain(password);
      const channels = await house.rows(
        `SELECT ch.name, ch.type, c.closed, c.last_seq::int AS size, c.last_message_at AS at
         FROM channels ch JOIN conversations c ON c.id = ch.id ORDER BY ch.position`,
      );
      expect(channels).toEqual([
        { name: 'general', type: 'TEXT', closed: false, size: 5000, at: new Date('2024-01-15T11:53:20.500Z') },
        { name: expect.stringMatching(/^General-\w{8}$/), type: 'TEXT', closed: false, size: 0, at: null },
        { name: 'Voice', type: 'VOICE', closed: true, size: 0, at: null },
      ]);
      const people = await house.rows(
        `SELECT u.username, m.role, count(x.id)::int AS said FROM memberships m JOIN users u ON u.id = m.user_id
         LEFT JOIN messages x ON x.author_id = u.id GROUP BY 1, 2 ORDER BY 1`,
      );
      expect(people).toEqual([
        { username: 'ada', role: 'ADMIN', said: 2500 },
        { username: 'bob', role: 'MEMBER', said: 2500 },
      ]);
      const once = await house.dump();
      expect((await house.carry('servers', old.url)).stdout).toContain('Nothing new');
      expect(await house.dump()).toEqual(once);

      await house.client.query(
        `WITH eve AS (INSERT INTO users (id, username, username_key, display_name)
           VALUES ('01990000-0000-7000-8000-00000000aaaa', 'eve', 'eve', 'Eve') RETURNING id)
         INSERT INTO memberships (server_id, user_id, role) SELECT s.id, eve.id, 'MEMBER' FROM servers s, eve`,
      );
      expect((await house.legacy('revert', kept?.id ?? '')).stderr).toContain('member eve came after the import');
      await house.client.query(`DELETE FROM users WHERE username = 'eve'`);
      expect((await house.legacy('revert', kept?.id ?? '')).code).toBe(0);
      expect(await house.dump()).toEqual(before);
    }, 180_000);

    it('are not stopped by a channel at a place that is no number of a place', async () => {
      await withChange(
        `ALTER TABLE chatchannel ALTER position TYPE double precision;
         UPDATE chatchannel SET position = 3000000000 WHERE name = 'General';
         UPDATE chatchannel SET position = 'Infinity' WHERE name = 'Voice';`,
      );
      expect((await house.carry('servers', odd.url)).code).toBe(2);
      const reasons = (await house.rejects()).map(({ table, reason }) => `${table}: ${reason}`);
      expect(reasons.filter((reason) => reason.startsWith('chatchannel'))).toEqual([
        'chatchannel: unreadable position',
        'chatchannel: unreadable position',
      ]);
      expect(await house.rows(`SELECT name FROM channels`)).toEqual([{ name: 'general' }]);
    }, 180_000);

    it('keep days as days of UTC, wherever the command runs', async () => {
      await withChange(`ALTER TABLE servermembership ALTER joined_at TYPE date;`);
      const asImport = [LEGACY, 'import', '--from', 'servers', '--source', odd.url];
      await runCommand(asImport, { DATABASE_URL: house.database.url, TZ: 'America/New_York' });
      const joined = await house.rows<{ at: Date }>(`SELECT joined_at AS at FROM memberships ORDER BY 1`);
      expect(joined.map(({ at }) => at.toISOString())).toEqual([
        '2024-01-01T00:00:00.000Z',
        '2024-01-02T00:00:00.000Z',
      ]);
    }, 180_000);

    it('are refused in a sentence where the database is another one, or none', async () => {
      expect((await house.carry('servers', house.database.url)).stderr).toMatch(/The source has no table chatserver/);
      expect((await house.carry('servers', 'postgres://127.0.0.1:1/x')).stderr).toMatch(
        /^The source cannot be opened: /,
      );
      expect((await house.carry('servers', './old.db')).stderr).toBe('Give a postgres:// URL as the source.\n');
    }, 180_000);
  });
});
