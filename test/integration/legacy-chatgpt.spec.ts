import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openChatGpt } from '../../src/legacy/import/readers/chatgpt.js';
import { SourceError } from '../../src/legacy/import/source.js';
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
    const circle: Record<string, ChatGptNode> = { a: ['b', 'user', 'A'], b: ['a', 'assistant', 'B'] };
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
    expect(stdout).toContain('messages: 7 found = 3 to carry + 0 carried before + 4 rejected');
    expect((await messages()).map(({ chat: of, content }) => `${of} ${content}`)).toEqual([
      ...['circle A', 'circle B', 'odd half \ufffd'],
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
});
