import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openChatGpt } from '../../src/legacy/import/readers/chatgpt.js';
import { Notes, type RawRow, Row } from '../../src/legacy/import/row.js';
import { BrokenRow, type Entry, SourceError } from '../../src/legacy/import/source.js';
import { UnreadableValue } from '../../src/legacy/import/values.js';
import { LegacyHouse } from '../support/legacy-commands.js';
import { type ChatGptNode, chatGptChat } from '../support/old-exports.js';
import { zipOf, type ZipFileOptions } from '../support/zip.js';

describe('the export of ChatGPT', () => {
  let house: LegacyHouse;

  beforeAll(async () => (house = await LegacyHouse.open()), 60_000);
  afterAll(() => house.close(), 60_000);
  afterEach(() => house.empty(), 60_000);

  const messages = () =>
    house.rows<{ chat: string; content: string; forms: string[] | null }>(
      `SELECT s.external_id AS chat, m.seq::int, m.role, m.content, m.metadata, (
         SELECT array_agg(r.content ORDER BY r.rev) FROM message_revisions r WHERE r.message_id = m.id) AS forms
       FROM messages m JOIN sessions s ON s.id = m.conversation_id ORDER BY 1, 2`,
    );

  const zip = async (name: string, files: [string, unknown, ZipFileOptions?][]) => {
    const written = files.map(([file, content, wrong]): [string, string, ZipFileOptions?] => [
      file,
      typeof content === 'string' ? content : JSON.stringify(content),
      wrong,
    ]);
    await writeFile(house.path(name), zipOf(written));
    return house.path(name);
  };

  const file = async (name: string, content: unknown) => {
    await writeFile(house.path(name), JSON.stringify(content));
    return house.path(name);
  };

  /** All that is read of an export, and what is not. */
  const read = async (location: string) => {
    const source = await openChatGpt(location);
    const notes = new Notes();
    const entries: Entry[] = [];
    const rejected: string[] = [];
    const take = (table: (typeof source.tables)[number], raw: RawRow | BrokenRow) => {
      try {
        if (raw instanceof BrokenRow) throw new UnreadableValue(raw.reason);
        const row = new Row(table.name, raw, notes);
        entries.push(table.understand(row));
        row.leaveRest();
      } catch (error) {
        if (!(error instanceof UnreadableValue)) throw error;
        rejected.push(error.message);
      }
    };
    for (const table of source.tables) {
      const before = entries.length + rejected.length;
      for await (const raw of table.rows()) take(table, raw);
      expect(entries.length + rejected.length - before).toBe(await table.count());
    }
    await source.close();
    const told = (kind: Entry['kind']) => entries.filter((entry) => entry.kind === kind);
    return {
      sessions: told('session') as Extract<Entry, { kind: 'session' }>[],
      messages: told('message') as Extract<Entry, { kind: 'message' }>[],
      revisions: told('revision') as Extract<Entry, { kind: 'revision' }>[],
      rejected,
      beside: source.otherTables,
      leftOut: notes.all().leftOut,
    };
  };

  const picture = { content_type: 'image_asset_pointer', asset_pointer: 'sediment://file_1', size_bytes: 10 };
  const chat = chatGptChat('c-1', 'a3', {
    root: null,
    hidden: ['root', 'system', '', { metadata: { is_visually_hidden_from_conversation: true } }],
    about: ['hidden', 'user', { content_type: 'user_editable_context', user_profile: 'I am Ada' }],
    q0: ['about', 'user', 'First question'],
    q1: [
      'about',
      'user',
      { content_type: 'multimodal_text', parts: [picture, 'What is\u0000', 'this?'] },
      {
        metadata: { attachments: [{ id: 'file_1', name: 'cat.png', size: 10, mime_type: 'image/png' }] },
      },
    ],
    think: ['q1', 'assistant', { content_type: 'thoughts', thoughts: [{ content: 'Hm.' }] }],
    call: [
      'think',
      'assistant',
      { content_type: 'code', language: 'unknown', text: 'search("cat")' },
      { recipient: 'web' },
    ],
    result: ['call', 'tool', 'A page about cats'],
    a1: ['result', 'assistant', 'A dog.', { metadata: { model_slug: 'gpt-4o-mini' } }],
    a2: ['result', 'assistant', 'A cat.', { metadata: { model_slug: 'o3', citations: [1] } }],
    q2: ['a2', 'user', 'Draw it', { metadata: { attachments: [{ id: 'file_2', name: 'how.pdf' }] } }],
    drawn: ['q2', 'tool', { content_type: 'multimodal_text', parts: [picture] }],
    a3: ['drawn', 'assistant', { content_type: 'code', language: 'python', text: 'print()' }],
  });

  it('gives the branch that is shown as messages, what lies on others as revisions, names what it leaves out, and goes again', async () => {
    const before = await house.dump();
    const source = await zip('export.zip', [
      [
        'conversations.json',
        [chat, { id: 'f-1', name: 'A folder' }, chatGptChat('c-2', 'x', { x: [null, 'user', 'Hi'] })],
      ],
      ['user.json', { id: 'user-1' }],
      ['__MACOSX/conversations.json', 'litter'],
      ['file_1-cat.png', 'png'],
    ]);
    const { code, stdout, stderr } = await house.carry('chatgpt', source);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringMatching(/\n\s+at /) });
    expect(stdout).toContain('conversations: 2 found = 2 to carry + 0 carried before + 0 rejected');
    expect(stdout).toContain('messages: 8 found = 8 to carry + 0 carried before + 0 rejected');
    for (const line of [
      ...['folders (table) (1)', 'messages, hidden (table) (2)', 'messages, thoughts (table) (1)'],
      ...['messages, what was asked of tools (table) (1)', 'messages, what tools answered (table) (1)'],
      ...['user.json (table) (1)', 'other files (table) (1)', 'messages.metadata.citations (1)'],
    ]) {
      expect(stdout).toContain(`  ${line}\n`);
    }
    const attachments = [{ name: 'cat.png', url: null, size: 10, contentType: 'image/png' }];
    const at = { chat: 'c-1', forms: null, metadata: null };
    expect(await messages()).toEqual([
      {
        ...at,
        seq: 1,
        role: 'user',
        content: '[image: cat.png]\n\nWhat is\u2400\n\nthis?',
        metadata: { attachments },
        forms: ['First question'],
      },
      { ...at, seq: 2, role: 'agent', content: 'A cat.', metadata: { model: 'o3' }, forms: ['A dog.'] },
      {
        ...at,
        seq: 3,
        role: 'user',
        content: 'Draw it\nhow.pdf',
        metadata: { attachments: [{ name: 'how.pdf', url: null, size: null, contentType: null }] },
      },
      { ...at, seq: 4, role: 'agent', content: '[image]' },
      { ...at, seq: 5, role: 'agent', content: '```python\nprint()\n```' },
      { ...at, chat: 'c-2', seq: 1, role: 'user', content: 'Hi' },
    ]);
    const sessions = await house.rows(
      `SELECT s.title, s.type, left(u.username, 12) AS owner, a.slug, a.enabled, s.created_at AS at, s.updated_at AS changed
       FROM sessions s JOIN users u ON u.id = s.owner_id JOIN agents a ON a.id = s.agent_id WHERE s.external_id = 'c-1'`,
    );
    expect(sessions).toEqual([
      {
        ...{ title: 'Chat c-1', type: 'agent', owner: 'legacy-user-', slug: 'gpt-4o', enabled: false },
        ...{ at: new Date(1705314600123), changed: new Date(1705314700500) },
      },
    ]);

    const once = await house.dump();
    expect((await house.carry('chatgpt', source)).stdout).toContain('Nothing new');
    expect(await house.dump()).toEqual(once);
    const [row] = await house.rows<{ id: string }>(`SELECT id FROM imports`);
    expect((await house.legacy('revert', row?.id ?? '')).code).toBe(0);
    expect(await house.dump()).toEqual(before);
  }, 180_000);

  it('reads many files of a folder, adds from a newer export only what is new, and gives all to who is named', async () => {
    await house.client.query(
      `INSERT INTO users (id, username, username_key, display_name)
       VALUES ('01990000-0000-7000-8000-00000000aaaa', 'eve', 'eve', 'Eve')`,
    );
    const folder = house.path('export');
    await mkdir(path.join(folder, 'inner'), { recursive: true });
    const put = (name: string, chats: unknown) => writeFile(path.join(folder, 'inner', name), JSON.stringify(chats));
    await put('conversations-000.json', [
      chatGptChat('c-1', 'b', { a: [null, 'user', 'A'], b: ['a', 'assistant', 'B'] }),
    ]);
    await put('conversations-001.json', [
      chatGptChat('c-2', 'a', { a: [null, 'user', 'Z'] }, { default_model_slug: null }),
    ]);
    await put('shared_conversations.json', [{ id: 's-1', conversation_id: 'c-1' }]);
    const first = await house.carry('chatgpt', folder, '--owner', 'Eve');
    expect(first.stdout).toContain('conversations: 2 found = 2 to carry + 0 carried before + 0 rejected');
    const once = await house.dump();

    const grown: Record<string, ChatGptNode> = {
      ...{ a: [null, 'user', 'A'], b: ['a', 'assistant', 'B'], c: ['b', 'user', 'C'], d: ['c', 'assistant', 'D'] },
    };
    await put('conversations-000.json', [chatGptChat('c-1', 'd', grown)]);
    await put('conversations-002.json', [chatGptChat('c-3', 'gone', { a: [null, 'user', 'New'] })]);
    const id = await house.carried('chatgpt', folder, '--owner', 'eve');
    expect((await messages()).map(({ chat: of, content }) => `${of} ${content}`)).toEqual([
      ...['c-1 A', 'c-1 B', 'c-1 C', 'c-1 D', 'c-2 Z', 'c-3 New'],
    ]);
    const owners = `SELECT DISTINCT u.username FROM sessions s JOIN users u ON u.id = s.owner_id`;
    expect(await house.rows(owners)).toEqual([{ username: 'eve' }]);
    expect((await house.legacy('revert', id)).code).toBe(0);
    expect(await house.dump()).toEqual(once);
  }, 180_000);

  it('rejects what is no chat or no message by name, circles and all, and one object a file is a chat too', async () => {
    const thought = { content_type: 'thoughts' };
    const circle: Record<string, ChatGptNode> = {
      ...{ a: ['b', 'user', 'A'], b: ['a', 'assistant', 'B'] },
      ...{ x: ['y', 'user', 'X'], y: ['x', 'assistant', 'Y'], z: ['wordless', 'user', 'Z'] },
      ...{ wordless: ['silent', 'assistant', thought], silent: ['wordless', 'assistant', thought] },
    };
    const odd = chatGptChat('odd', 'x', {
      x: ['gone', 'wizard', 'X'],
      y: ['x', 'user', { content_type: 'super_widget', widget: 1 }],
      z: ['y', 'user', 'half \ud800'],
      late: ['z', 'user', 'Late', { create_time: 'yesterday' }],
      big: ['z', 'user', 'y'.repeat(10_000_000)],
    });
    const source = await zip('odd.zip', [
      ['conversations-1.json', `[${JSON.stringify(odd)}, 5, {"a":1 b}, ${'['.repeat(5_000)}${']'.repeat(5_000)}]`],
      ['conversations-2.json', chatGptChat('circle', 'b', circle)],
      ['conversations-3.json', [{ ...chatGptChat('flat', null, {}), mapping: 'none' }, chatGptChat('', null, {})]],
      ['conversations-4.json', []],
    ]);
    const { code, stdout, stderr } = await house.carry('chatgpt', source);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.not.stringMatching(/\n\s+at /) });
    expect((await house.rejects()).map(({ table, reason }) => `${table}: ${reason}`)).toEqual([
      ...['no chat', 'not valid JSON', 'nested too deeply'].map((reason) => `conversations: ${reason}`),
      ...['mapping is no JSON object', 'no id'].map((reason) => `conversations: ${reason}`),
      'messages: unknown role',
      'messages: no text in a content of the type super_widget',
      'messages: unreadable date',
      'messages: content is longer than 200000 characters (one beyond ASCII counts for four)',
    ]);
    expect(stdout).toContain('messages: 10 found = 6 to carry + 0 carried before + 4 rejected');
    expect((await messages()).map(({ chat: of, content, forms }) => [of, content, forms])).toEqual([
      ['circle', 'A', ['X', 'Z']],
      ['circle', 'B', ['Y']],
      ['odd', 'half \ufffd', null],
    ]);
  }, 180_000);

  it('refuses in a sentence what is no export, or an archive that is not as it should be', async () => {
    const text = JSON.stringify([chat]);
    const files: [string, string | Buffer, RegExp][] = [
      ['none.zip', 'PK?', /none\.zip is truncated, or neither a folder nor a ZIP file/],
      ['cut.zip', zipOf([['conversations.json', text]]).subarray(0, -30), /cut\.zip is truncated, or neither/],
      [
        'out.zip',
        zipOf([['../conversations.json', text]]),
        /out\.zip is no ZIP file as it should be \(invalid relative/,
      ],
      [
        'twice.zip',
        zipOf([
          ['conversations.json', text],
          ['conversations.json', '[]'],
        ]),
        /two files are called conv/,
      ],
      ['locked.zip', zipOf([['conversations.json', text, { encrypted: true }]]), /is encrypted\. Unpack/],
      ['strange.zip', zipOf([['conversations.json', text, { method: 14 }]]), /packed in an uncommon way\. Unpack/],
      ['changed.zip', zipOf([['conversations.json', text, { crc: 1 }]]), /damaged or truncated \(its checksum/],
      ['more.zip', zipOf([['conversations.json', text, { size: 10 }]]), /damaged or truncated \(too many bytes/],
      [
        'bomb.zip',
        zipOf([['conversations.json', Buffer.alloc(20_000_000, ' ')]]),
        /20000000 bytes from \d+: a ZIP bomb/,
      ],
      ['short.zip', zipOf([['conversations.json', text.slice(0, -20)]]), /conversations\.json is truncated or no JSON/],
      ['other.zip', zipOf([['channels.json', '[{}]']]), /other\.zip has no conversations\.json/],
      ['latin.json', Buffer.from('["\xe9"]', 'latin1'), /latin\.json has no conversations\.json/],
    ];
    for (const [name, content, reason] of files) {
      await writeFile(house.path(name), content);
      const refused = await openChatGpt(house.path(name)).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(SourceError);
      expect((refused as SourceError).message).toMatch(reason);
    }
    const { code, stderr } = await house.carry('chatgpt', house.path('gone'));
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/gone cannot be read: is the path right\?\n$/),
    });
  }, 180_000);

  it('takes of every message what was said in it, whatever it is made of', async () => {
    const files = [
      { id: 'file_1', name: 'cat.png', size: 10, mime_type: 'image/png' },
      { id: 'file_2', name: 'dog.png' },
      { id: 'file_3', name: 'how.pdf' },
    ];
    const shown = (id: string) => ({ ...picture, asset_pointer: `file-service://${id}` });
    const many = Array.from({ length: 60 }, (_, n) => ({ id: `many_${n}`, name: `${n}-${'x'.repeat(300)}` }));
    const spoken = { content_type: 'audio_transcription', text: 'Spoken' };
    const recording = { content_type: 'audio_asset_pointer', asset_pointer: 'sediment://sound' };
    const parts = (...all: unknown[]) => ({ content_type: 'multimodal_text', parts: all });
    const contents: Record<string, [author: string, content: unknown, stored: string | null, more?: object]> = {
      system: ['system', 'Be kind', 'Be kind'],
      pictures: [
        ...(['user', parts(shown('file_2'), 'A', shown('file_1'), shown('file_9'))] as const),
        '[image: dog.png]\n\nA\n\n[image: cat.png]\n\n[image]\nhow.pdf',
        { metadata: { attachments: files } },
      ],
      files: [
        ...(['user', ''] as const),
        many
          .map(({ name }) => name.slice(0, 255))
          .slice(0, 50)
          .join('\n'),
        { metadata: { attachments: many } },
      ],
      spoken: ['user', parts(spoken, recording), 'Spoken'],
      recorded: ['user', parts('A', recording), 'A\n\n[recording]'],
      plain: ['assistant', { content_type: 'code', language: 'unknown', text: 'x = 1' }, '```\nx = 1\n```'],
      quote: ['assistant', { content_type: 'tether_quote', text: 'Quoted', url: 'https://x', title: 'X' }, 'Quoted'],
      result: ['assistant', { content_type: 'browsed', result: 'Found' }, 'Found'],
      blank: ['assistant', { content_type: 'text', parts: ['', 'B'] }, 'B'],
      text: ['assistant', { parts: [''], text: 'Beside' }, 'Beside'],
      drawn: ['tool', parts(picture), '[image]'],
      aside: ['user', 'To Python', 'To Python', { recipient: 'python' }],
      open: ['assistant', 'To nobody', 'To nobody', { recipient: undefined }],
      hidden: ['system', 'Secret', null, { metadata: { is_visually_hidden_from_conversation: true } }],
      about: ['user', { content_type: 'user_editable_context', user_profile: 'Ada' }, null],
      memory: ['assistant', { content_type: 'model_editable_context', model_set_context: 'Ada' }, null],
      thoughts: ['assistant', { content_type: 'thoughts', thoughts: [] }, null],
      recap: ['assistant', { content_type: 'reasoning_recap', content: 'Thought for 2s' }, null],
      analysis: ['assistant', 'Hm', null, { channel: 'analysis' }],
      call: ['assistant', 'search()', null, { recipient: 'web' }],
      answer: ['tool', 'A page', null],
      silent: ['assistant', ' ', null],
    };
    const ids = Object.keys(contents);
    const nodes = Object.entries(contents).map(([id, [author, content, , more]], n): [string, ChatGptNode] => [
      id,
      [ids[n - 1] ?? null, author, content, more],
    ]);
    const location = await file('conversations.json', [
      chatGptChat('c', 'silent', { ...Object.fromEntries(nodes), none: ['silent', 'user', { content_type: 'text' }] }),
    ]);
    const { messages: said, rejected, beside, leftOut } = await read(location);
    const stored = Object.values(contents).flatMap(([, , content]) => content ?? []);
    expect(said.map(({ content }) => content)).toEqual(stored);
    expect(said.map(({ order }) => order)).toEqual([...stored.keys()]);
    expect(said.map(({ role }) => role).join(' ')).toBe(
      'system user user user user agent agent agent agent agent agent user agent',
    );
    expect(said.map(({ createdAt }) => createdAt)).toEqual(
      [...stored.keys()].map((n) => new Date(1705314600250 + n * 1000)),
    );
    const attached = files.map(({ name, size = null, mime_type: contentType = null }) => ({
      ...{ name, url: null, size, contentType },
    }));
    expect(said[1]?.metadata).toEqual({ attachments: attached });
    expect(said[2]?.metadata?.attachments).toHaveLength(50);
    expect(rejected).toEqual(['no text in a content of the type text']);
    expect(beside).toEqual({
      ...{ 'messages, hidden': 3, 'messages, thoughts': 3, 'messages, what was asked of tools': 1 },
      ...{ 'messages, what tools answered': 1, 'messages, without any content': 1 },
    });
    expect(leftOut).toMatchObject({ 'messages.content.url': 1, 'messages.content.title': 1 });
  });

  it('takes what lies on another branch for a form of the message beside it that the same side said', async () => {
    const nodes: Record<string, ChatGptNode | null> = {
      // Told before those that it follows.
      a2d: ['q2d', 'assistant', 'A2, other'],
      q2d: ['a1d', 'user', 'Q2, other'],
      a1d: ['q1', 'assistant', 'A1, other'],
      root: null,
      hello: ['root', 'assistant', 'Hello'],
      q1: ['root', 'user', 'Q1'],
      think: ['q1', 'assistant', { content_type: 'thoughts' }],
      a1: ['think', 'assistant', 'A1'],
      q2: ['a1', 'user', 'Q2'],
      empty: null,
      a2: ['q2', 'assistant', 'A2'],
      done: ['a2', 'assistant', ' '],
      q1b: ['root', 'user', 'Q1, better'],
      thinkb: ['q1b', 'assistant', { content_type: 'thoughts' }],
      a1b: ['thinkb', 'assistant', 'A1, better'],
      a1c: ['thinkb', 'assistant', 'A1, best'],
      q2b: ['a1c', 'user', 'Q2, better'],
      rule: ['q2b', 'system', 'A rule'],
      a3b: ['rule', 'assistant', 'A3, later'],
      q4b: ['a3b', 'user', 'Q4, later'],
      end: ['q4b', 'system', 'The end'],
    };
    const { messages: said, revisions } = await read(
      await file('conversations.json', [chatGptChat('c', 'done', nodes)]),
    );
    const shown = [...said].sort((a, b) => a.order - b.order);
    expect(shown.map(({ id, role }) => `${id} ${role}`)).toEqual([
      'c-q1 user',
      'c-a1 agent',
      'c-q2 user',
      'c-a2 agent',
    ]);
    expect(Object.fromEntries(revisions.map(({ id, message }) => [id, message]))).toEqual({
      ...{ 'c-a2d': 'c-a2', 'c-q2d': 'c-q2', 'c-a1d': 'c-a1', 'c-hello': 'c-a1', 'c-q1b': 'c-q1', 'c-a1b': 'c-a1' },
      ...{ 'c-a1c': 'c-a1', 'c-q2b': 'c-q2', 'c-rule': 'c-a2', 'c-a3b': 'c-a2', 'c-q4b': 'c-q2', 'c-end': 'c-a2' },
    });
    expect(revisions.find(({ id }) => id === 'c-q1b')).toMatchObject({
      ...{ conversation: 'c', content: 'Q1, better', createdAt: new Date(1705314612250) },
    });
  });

  it.each([
    ['a shown message', 'a', 'q a'],
    ['one that is not shown', 'thought', 'q a'],
    ['one without anything', 'empty', 'q a'],
    ['none', null, 'q a q2'],
    ['one that is gone', 'gone', 'q a q2'],
  ])('shows the branch to the current message, where that is %s', async (_, current, shown) => {
    const nodes: Record<string, ChatGptNode> = {
      q: [null, 'user', 'Q'],
      a: ['q', 'assistant', 'A'],
      thought: ['a', 'assistant', { content_type: 'thoughts' }],
      empty: ['thought', 'assistant', ' '],
      b: ['q', 'assistant', 'B'],
      q2: ['a', 'user', 'Q2'],
    };
    const chat = chatGptChat('c', current, nodes);
    Object.assign(chat.mapping.empty ?? {}, { message: null });
    const { messages: said, revisions } = await read(await file('conversations.json', [chat]));
    const order = said.sort((a, b) => a.order - b.order).map(({ id }) => id);
    expect(order).toEqual(shown.split(' ').map((id) => `c-${id}`));
    expect(said.length + revisions.length).toBe(4);
  });

  it('takes every chat for what it says of itself: its id, title, times and model, archived or not', async () => {
    const nodes: Record<string, ChatGptNode> = {
      q: [null, 'user', 'Q'],
      a: ['q', 'assistant', 'A', { metadata: { model_slug: 'o1' } }],
      b: ['a', 'assistant', 'B', { metadata: { model_slug: 'o2' } }],
    };
    const bare = { q: nodes.q ?? null };
    const { sessions, messages: said } = await read(
      await file('conversations.json', [
        chatGptChat('one', 'b', nodes, { conversation_id: 'two', title: null, is_archived: true }),
        chatGptChat('three', 'b', nodes, { conversation_id: undefined, default_model_slug: null }),
        chatGptChat('', 'b', nodes, { conversation_id: 'four', default_model_slug: `\u0000${'x'.repeat(200)}` }),
        chatGptChat('five', 'q', bare, { default_model_slug: undefined, create_time: null, update_time: null }),
      ]),
    );
    const at = { createdAt: new Date(1705314600123), updatedAt: new Date(1705314700500) };
    expect(sessions).toEqual([
      expect.objectContaining({ ...at, id: 'two', title: null, agentSlug: 'gpt-4o' }),
      expect.objectContaining({ ...at, id: 'three', title: 'Chat three', agentSlug: 'o1' }),
      expect.objectContaining({ ...at, id: 'four', title: 'Chat ', agentSlug: `\u2400${'x'.repeat(99)}` }),
      expect.objectContaining({ id: 'five', agentSlug: null, createdAt: null, updatedAt: null }),
    ]);
    expect([...new Set(said.map(({ conversation }) => conversation))]).toEqual(['two', 'three', 'four', 'five']);
    expect(new Set(said.map(({ id }) => id)).size).toBe(10);
    const models = [undefined, 'o1', 'o2'];
    expect(said.map(({ metadata }) => metadata?.model)).toEqual([...models, ...models, ...models, undefined]);
  });

  it('finds the chats in files of any name where none is called conversations, and names what else there is', async () => {
    const named = (id: string) => chatGptChat(id, 'x', { x: [null, 'user', id] });
    const other = await zip('other-names.zip', [
      ['a/chats.json', [named('c-1')]],
      ['a/more.JSON', named('c-2')],
      ['a/user.json', { id: 'user-1' }],
      ['a/broken.json', '{'],
      ['a/list.json', [{ mapping: 'none' }, named('c-3')]],
      ['chat.html', '<p>'],
      ['file_1-cat.png', 'png'],
    ]);
    const found = await read(other);
    expect(found.sessions.map(({ id }) => id)).toEqual(['c-1', 'c-2']);
    expect(found.beside).toEqual({ 'a/user.json': 1, 'a/broken.json': 1, 'a/list.json': 1, 'other files': 2 });
    const usual = await zip('usual-names.zip', [
      ['export/Conversations.json', [named('c-1'), named('c-2')]],
      ['export/conversations_2.json', [named('c-3')]],
      ['export/conversations 3.json', [named('c-4'), { id: 'f-1' }, { id: 'f-2' }]],
      ['export/shared_conversations.json', [named('c-1')]],
    ]);
    const { sessions, beside } = await read(usual);
    expect(sessions.map(({ id }) => id).sort()).toEqual(['c-1', 'c-2', 'c-3', 'c-4']);
    expect(beside).toEqual({ folders: 2, 'export/shared_conversations.json': 1 });
  });
});
