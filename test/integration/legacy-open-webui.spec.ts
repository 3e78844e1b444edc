import { LegacyHouse } from '../support/legacy-commands.js';
import { webUi, webUiChat } from '../support/old-stores.js';

describe('the file of Open WebUI', () => {
  let house: LegacyHouse;

  beforeAll(async () => (house = await LegacyHouse.open()), 60_000);
  afterAll(() => house.close(), 60_000);
  afterEach(() => house.empty(), 60_000);

  const messages = () =>
    house.rows<{ chat: string; content: string; forms: string[] | null }>(
      `SELECT s.external_id AS chat, m.seq::int, m.role, m.content, m.tokens_used AS tokens, (
         SELECT array_agg(r.content ORDER BY r.rev) FROM message_revisions r WHERE r.message_id = m.id) AS forms
       FROM messages m JOIN sessions s ON s.id = m.conversation_id ORDER BY 1, 2`,
    );

  it('gives the branch that is shown as messages, what lies on others as revisions, and goes again', async () => {
    const before = await house.dump();
    const chat = webUiChat('a2', {
      q1: [null, 'user', 'First question'],
      a1: [
        'q1',
        'assistant',
        'First answer',
        { usage: { prompt_tokens: 3, completion_tokens: 4 }, model: 'llama3:8b' },
      ],
      q2: [null, 'user', 'Better question'],
      x2: ['q2', 'assistant', 'Worse answer'],
      a2: ['q2', 'assistant', '', { output: [{ type: 'message', content: [{ type: 'output_text', text: 'Best' }] }] }],
      y2: ['a1', 'user', 'Deeper than what is shown \u0000'],
    });
    const file = webUi(house.path('webui.db'), { 'c-1': chat });
    const { code, stdout } = await house.carry('open-webui', file);
    expect(code).toBe(2);
    expect((await house.rejects()).map(({ table, reason }) => `${table}: ${reason}`)).toEqual([
      'auth: its account is switched off',
    ]);
    expect(stdout).toContain('chat.messages: 6 found = 6 to carry + 0 carried before + 0 rejected');
    for (const line of ['chat.messages.childrenIds (6)', 'chat.archived (1)', 'chat.messages.role (4)']) {
      expect(stdout).toContain(`  ${line}\n`);
    }
    expect(await messages()).toEqual([
      {
        ...{ chat: 'c-1', seq: 1, role: 'user', content: 'Better question', tokens: null },
        forms: ['First question', 'Deeper than what is shown \u2400'],
      },
      {
        ...{ chat: 'c-1', seq: 2, role: 'agent', content: 'Best', tokens: null },
        forms: ['First answer', 'Worse answer'],
      },
    ]);
    const counters = await house.rows(`SELECT last_seq::int AS seq, last_rev::int AS rev FROM conversations`);
    expect(counters).toEqual([{ seq: 2, rev: 6 }]);
    const people = await house.rows(
      `SELECT username, display_name AS name, password_hash IS NOT NULL AS "signsIn" FROM users ORDER BY 1`,
    );
    expect(people).toEqual([
      { username: 'ada', name: 'Ada Lovelace', signsIn: true },
      { username: 'bob', name: 'Bob', signsIn: false },
    ]);
    expect(await house.rows(`SELECT slug, enabled FROM agents WHERE slug <> 'echo'`)).toEqual([
      { slug: 'llama3:8b', enabled: false },
    ]);

    const once = await house.dump();
    expect((await house.carry('open-webui', file)).stdout).toContain('Nothing new');
    expect(await house.dump()).toEqual(once);
    const [row] = await house.rows<{ id: string }>(`SELECT id FROM imports`);
    expect((await house.legacy('revert', row?.id ?? '')).code).toBe(0);
    expect(await house.dump()).toEqual(before);
  }, 180_000);

  it('loses no message to parents that are missing or go in a circle, or to a chat that is no JSON', async () => {
    const file = webUi(house.path('broken.db'), {
      circle: webUiChat('b', { a: ['b', 'user', 'A'], b: ['a', 'assistant', 'B'], c: ['c', 'user', 'C'] }),
      missing: webUiChat('z', { a: ['gone', 'user', 'A'], b: ['a', 'assistant', 'B'] }),
      'no-json': '{ "history": ',
      empty: {},
    });
    const { code, stdout } = await house.carry('open-webui', file);
    expect(code).toBe(2);
    expect(stdout).toContain('chat: 4 found = 3 to carry + 0 carried before + 1 rejected');
    expect(stdout).toContain('chat.messages: 5 found = 5 to carry + 0 carried before + 0 rejected');
    expect((await house.rejects()).map(({ reason }) => reason)).toContain('chat is no JSON object');
    expect((await messages()).map(({ content, forms }) => [content, forms])).toEqual([
      ['A', ['C']],
      ['B', null],
      ['A', null],
      ['B', null],
    ]);
  }, 180_000);

  it('carries the list of a chat without a history, and names the list that is an older copy', async () => {
    const list = [
      { id: 'a', role: 'user', content: 'A', timestamp: 1705314600 },
      { id: 'a', role: 'assistant', content: 'B' },
      { role: 'user', content: 'C' },
    ];
    const tree = webUiChat('a', { a: [null, 'user', 'shown'] });
    const { code, stdout } = await house.carry(
      'open-webui',
      webUi(house.path('list.db'), {
        'c-1': { title: 'Old', models: ['llama\u0000'], messages: list },
        'c-2': { ...tree, messages: [{ id: 'a', content: 'an older copy' }] },
        'c-3': { ...tree, history: { messages: [1] }, messages: list },
      }),
    );
    expect(code).toBe(2);
    expect(stdout).toContain('chat: 3 found = 2 to carry + 0 carried before + 1 rejected');
    expect(stdout).toContain('  chat.chat.messages (1)\n');
    expect((await house.rejects()).map(({ table, reason }) => `${table}: ${reason}`)).toEqual([
      'auth: its account is switched off',
      'chat: its history is unreadable',
      ...Array<string>(3).fill('chat.messages: orphaned message: its conversation is missing or was not carried'),
    ]);
    expect((await messages()).map(({ chat, content, forms }) => [chat, content, forms])).toEqual([
      ['c-1', 'A', null],
      ['c-1', 'B', null],
      ['c-1', 'C', null],
      ['c-2', 'shown', null],
    ]);
    expect(await house.rows(`SELECT slug FROM agents WHERE slug LIKE 'llama_'`)).toEqual([{ slug: 'llama\u2400' }]);
  }, 180_000);

  it('survives ten megabytes, half characters, depths, control characters and circles in the table', async () => {
    const file = webUi(
      house.path('odd.db'),
      {
        big: webUiChat('b', {
          a: [null, 'user', 'y'.repeat(10_000_000)],
          b: ['a', 'assistant', 'half \ud800', { usage: { total_tokens: 1e308 } }],
          c: ['b', 'constructor', 'No role'],
        }),
        deep: `{"title": ${'['.repeat(900)}${']'.repeat(900)}, "history": {"messages": {"a": {}}}}`,
        tab: '{"title": "a\tb", "history": {"messages": {"a": {}}}}',
        ring: {},
      },
      `CREATE TABLE chat_message (id TEXT, chat_id TEXT, role TEXT, parent_id TEXT, content JSON, created_at INTEGER);
       INSERT INTO chat_message VALUES ('ring-a', 'ring', 'user', 'ring-b', '"A"', 1705314600),
         ('ring-b', 'ring', 'assistant', 'ring-a', '"B"', 1705314601000),
         ('ring-c', 'ring', 'user', 'gone', '"C"', 1705314602)`,
    );
    const { code, stdout, stderr } = await house.carry('open-webui', file);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.not.stringMatching(/\n\s+at /) });
    expect(stdout).toContain('chat: 4 found = 2 to carry + 0 carried before + 2 rejected');
    expect(stdout).toContain('chat.messages: 3 found = 1 to carry + 0 carried before + 2 rejected');
    expect(stdout).toContain('chat_message: 3 found = 3 to carry + 0 carried before + 0 rejected');
    expect(stdout).toContain('Unstorable characters replaced in:\n  chat.messages.content (1)');
    const said = (await messages()).map(({ chat, content, forms }) => [chat, content, forms]);
    expect(said).toEqual([
      ['big', 'half \ufffd', null],
      ['ring', 'C', ['A', 'B']],
    ]);
  }, 180_000);

  it('takes the newer table before the older copy in the chat, texts and blocks alike', async () => {
    const file = webUi(
      house.path('newer.db'),
      {
        'c-1': webUiChat('b', { a: [null, 'user', 'old A'], b: ['a', 'assistant', 'old B'], c: ['b', 'user', '[1]'] }),
      },
      `CREATE TABLE chat_message (id TEXT PRIMARY KEY, chat_id TEXT, role TEXT, parent_id TEXT, content JSON,
         usage JSON, created_at INTEGER);
       INSERT INTO chat_message VALUES ('c-1-a', 'c-1', 'user', NULL, '"new A"', NULL, 1705314600123),
         ('c-1-b', 'c-1', 'assistant', 'c-1-a', '[{"type": "text", "text": "new"}, {"type": "text", "text": "B"}]',
          '{"input_tokens": 5, "output_tokens": 6}', 1705314601),
         ('c-9-x', 'c-9', 'user', NULL, '"lost"', NULL, 1705314600)`,
    );
    const { stdout } = await house.carry('open-webui', file);
    expect(stdout).toContain('chat.messages: 1 found = 1 to carry');
    expect(stdout).toContain('chat_message: 3 found = 2 to carry + 0 carried before + 1 rejected');
    expect(stdout).toContain('chat.messages, older copies (table) (2)');
    expect(await messages()).toEqual([
      { chat: 'c-1', seq: 1, role: 'user', content: 'new A', tokens: null, forms: ['[1]'] },
      { chat: 'c-1', seq: 2, role: 'agent', content: 'new\n\nB', tokens: 11, forms: null },
    ]);
  }, 180_000);

  it('drops no message of the table without a word: of no chat, of none that is there, or twice', async () => {
    const file = webUi(
      house.path('dropped.db'),
      { 'c-1': webUiChat('a', { a: [null, 'user', 'old A'] }) },
      `CREATE TABLE chat_message (id TEXT, chat_id TEXT, role TEXT, parent_id TEXT, content JSON, created_at INTEGER);
       INSERT INTO chat_message VALUES ('c-1-a', 'c-1', 'user', NULL, '"A"', 1705314600),
         ('c-1-a', 'c-1', 'user', NULL, '"A again"', 1705314601), ('x', NULL, 'user', NULL, '"of none"', 1705314602),
         ('c-9-x', 'c-9', 'user', NULL, '"lost"', 1705314600);
       INSERT INTO chat (id, user_id, title, chat) VALUES (NULL, 'u-1', 'No id', '{}')`,
    );
    const { code, stdout, stderr } = await house.carry('open-webui', file);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.not.stringMatching(/\n\s+at /) });
    expect(stdout).toContain('chat_message: 4 found = 1 to carry + 0 carried before + 3 rejected');
    expect((await house.rejects()).map(({ table, reason }) => `${table}: ${reason}`)).toEqual([
      'auth: its account is switched off',
      'chat: no id',
      'chat_message: duplicate id',
      'chat_message: its chat is missing or unreadable',
      'chat_message: its chat is missing or unreadable',
    ]);
    expect((await messages()).map(({ content }) => content)).toEqual(['A']);
  }, 180_000);
});
