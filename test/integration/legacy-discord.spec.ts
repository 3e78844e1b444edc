import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { LegacyHouse } from '../support/legacy-commands.js';
import {
  ADA,
  at,
  BOB,
  BOT,
  channel,
  discordFile,
  discordFolder,
  EVE,
  GENERAL,
  GUILD,
  NO_GUILD,
  reacted,
  said,
  snowflake,
  THREAD,
} from '../support/discord-export.js';

describe('carrying the exports of DiscordChatExporter over', () => {
  let house: LegacyHouse;

  beforeAll(async () => (house = await LegacyHouse.open()), 60_000);
  afterAll(() => house.close(), 60_000);
  afterEach(() => house.empty(), 60_000);

  /** The messages of a room as they are stored, by its old id. */
  const messages = (ext: string) =>
    house.rows(
      `SELECT m.seq::int, m.rev::int, m.role, u.username AS who, m.content, m.edited_at AS edited,
         replied.external_id AS reply, m.pinned_at AS pinned, m.reactions
       FROM imported_ids room JOIN messages m ON m.conversation_id = room.target_id
       LEFT JOIN users u ON u.id = m.author_id
       LEFT JOIN imported_ids replied ON replied.target_id = m.reply_to_id AND replied.kind = 'message'
       WHERE room.kind = 'conversation' AND room.external_id = $1 ORDER BY m.seq`,
      [ext],
    );
  const plain = { who: null, edited: null, reply: null, pinned: null, reactions: null };

  it('keeps threads, replies, edits, pins, reactions, files and who was told of whom', async () => {
    const { code, stdout } = await house.carry('discord', await discordFolder(house.path('export')));
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('Reactions carried: 4.') });
    const ci = '[Build 7](https://ci.example/7)\npassed';
    expect(await messages(GENERAL.id)).toEqual([
      { ...plain, seq: 1, rev: 1, role: 'system', content: 'Ada Lovelace joined the server.' },
      {
        ...{ ...plain, seq: 2, rev: 5, role: 'user', who: 'ada', content: 'Hello @bob.' },
        reactions: [
          { emoji: '👍', count: 2 },
          { emoji: '🎉', count: 1 },
        ],
      },
      // Edited, pinned, and a thread hangs on it.
      { ...plain, seq: 3, rev: 9, role: 'user', who: 'bob', content: 'Edited now', edited: at(90), pinned: at(3) },
      { ...plain, seq: 4, rev: 10, role: 'user', who: 'ada', content: 'An answer', reply: snowflake(2) },
      { ...plain, seq: 5, rev: 11, role: 'user', who: 'bob', content: '[a \\[1\\].png](https://cdn.example/a.png)' },
      { ...plain, seq: 6, rev: 12, role: 'user', who: 'robot', content: ci },
      { ...plain, seq: 7, rev: 13, role: 'system', content: 'bob pinned a message.', reply: snowflake(3) },
    ]);
    expect(await messages(snowflake(3))).toEqual([
      { ...plain, seq: 1, rev: 1, role: 'system', content: 'Rust?' },
      {
        ...{ ...plain, seq: 2, rev: 3, role: 'user', who: 'ada', content: 'In the thread' },
        reactions: [{ emoji: '🦀', count: 1 }],
      },
      { ...plain, seq: 3, rev: 4, role: 'user', who: 'bob', content: 'Yes', reply: snowflake(11) },
    ]);
    expect(
      await house.rows(
        `SELECT c.kind, c.last_seq::int AS seq, c.last_rev::int AS rev, s.name, ch.name AS channel, h.name AS heading,
           ch.topic, root.content AS root, (
             SELECT array_agg(u.username || ' ' || r.seq ORDER BY 1) FROM read_markers r JOIN users u ON u.id = r.user_id
             WHERE r.conversation_id = c.id) AS read
         FROM conversations c LEFT JOIN channels ch ON ch.id = c.id LEFT JOIN servers s ON s.id = ch.server_id
         LEFT JOIN categories h ON h.id = ch.category_id
         LEFT JOIN threads t ON t.id = c.id LEFT JOIN messages root ON root.id = t.message_id ORDER BY c.kind`,
      ),
    ).toEqual([
      {
        ...{ kind: 'channel', seq: 7, rev: 13, name: 'Home', channel: 'general', heading: 'Text', topic: 'All of it' },
        ...{ root: null, read: ['ada 7', 'bob 7', 'robot 7'] },
      },
      {
        ...{ kind: 'direct', seq: 2, rev: 2, name: null, channel: null, heading: null, topic: null, root: null },
        read: ['ada 2', 'bob 2'],
      },
      {
        ...{
          kind: 'thread',
          seq: 3,
          rev: 4,
          name: null,
          channel: null,
          heading: null,
          topic: null,
          root: 'Edited now',
        },
        read: ['ada 3', 'bob 3'],
      },
    ]);
    expect(
      await house.rows(
        `SELECT u.username, m.content, m.metadata FROM mentions n JOIN users u ON u.id = n.user_id
         JOIN messages m ON m.conversation_id = n.conversation_id AND m.seq = n.seq`,
      ),
    ).toEqual([{ username: 'bob', content: 'Hello @bob.', metadata: null }]);
    const [file] = await house.rows(`SELECT metadata FROM messages WHERE content LIKE '%a.png)'`);
    expect(file).toEqual({
      metadata: {
        attachments: [{ name: 'a [1].png', url: 'https://cdn.example/a.png', size: 12, contentType: null }],
      },
    });
  }, 180_000);

  it('adds what a newer export has, step by step, and takes it out step by step', async () => {
    const folder = await discordFolder(house.path('newer'));
    const before = await house.dump();
    const first = await house.carried('discord', folder);
    const between = await house.dump();
    const again = await house.carry('discord', folder);
    expect(again.stdout).toContain('reactions: 4 found = 0 to carry + 4 carried before + 0 rejected');
    expect(again.stdout).toContain('Nothing new');
    expect(await house.dump()).toEqual(between);

    await discordFolder(folder, (messages) => [
      ...messages.map((message) => ({ ...message, ...NEWER[message.id] })),
      said(30, BOB, 'Later', {
        ...{ reactions: [reacted('👍', [ADA])], isPinned: true, type: 'Reply' },
        reference: { messageId: snowflake(4), channelId: GENERAL.id },
      }),
    ]);
    await discordFile(
      path.join(folder, 'thread-2.json'),
      GUILD,
      channel(2, 'Late', { type: 'GuildPublicThread', categoryId: GENERAL.id, category: 'general', id: snowflake(5) }),
      [said(32, ADA, 'On the file')],
    );
    await discordFile(path.join(folder, 'thread.json'), GUILD, THREAD, [said(33, BOT, 'Me too')]);
    const newer = await house.carry('discord', folder);
    expect(newer).toMatchObject({ code: 2, stdout: expect.stringContaining('Reactions carried: 4.') });
    expect((await house.rejects()).map(({ reason, row }) => [reason, row.content])).toEqual([
      ['its id was carried before with another content', 'An answer, edited since'],
    ]);
    const room = await messages(GENERAL.id);
    expect(room.filter(({ rev }) => rev > 13)).toEqual([
      {
        ...{ ...plain, seq: 2, rev: 18, role: 'user', who: 'ada', content: 'Hello @bob.' },
        reactions: [
          { emoji: '👍', count: 2 },
          { emoji: '🎉', count: 2 },
          { emoji: '👀', count: 1 },
        ],
      },
      {
        ...{ ...plain, seq: 4, rev: 19, role: 'user', who: 'ada', content: 'An answer', reply: snowflake(2) },
        reactions: [{ emoji: '👍', count: 1 }],
      },
      { ...plain, seq: 5, rev: 20, role: 'user', who: 'bob', content: '[a \\[1\\].png](https://cdn.example/a.png)' },
      {
        ...{
          ...plain,
          seq: 8,
          rev: 16,
          role: 'user',
          who: 'bob',
          content: 'Later',
          reply: snowflake(4),
          pinned: at(30),
        },
        reactions: [{ emoji: '👍', count: 1 }],
      },
    ]);
    expect((await messages(snowflake(5))).map(({ content }) => content)).toEqual(['On the file']);
    expect((await messages(snowflake(3))).at(-1)).toMatchObject({ seq: 4, rev: 5, content: 'Me too' });

    const grown = await house.dump();
    expect((await house.carry('discord', folder)).stdout).toContain('Nothing new');
    expect(await house.dump()).toEqual(grown);
    const [, second = ''] = (await house.legacy('list')).stdout.split('\n').map((line) => line.split(' ')[0]);
    expect((await house.legacy('revert', second)).code).toBe(0);
    expect(await house.dump()).toEqual(between);
    expect((await house.legacy('revert', first)).code).toBe(0);
    expect(await house.dump()).toEqual(before);
  }, 180_000);

  /** Who is in which server, and what is in it. */
  const servers = () =>
    house.rows(
      `SELECT s.name, (SELECT array_agg(ch.name ORDER BY ch.position) FROM channels ch WHERE ch.server_id = s.id) AS channels,
         (SELECT array_agg(u.username || ' ' || m.role ORDER BY u.username) FROM memberships m
          JOIN users u ON u.id = m.user_id WHERE m.server_id = s.id) AS members
       FROM servers s ORDER BY lower(s.name) COLLATE "C"`,
    );
  const thread = (n: number, name: string, more: object) =>
    channel(n, name, { type: 'GuildPublicThread', categoryId: GENERAL.id, category: 'general', ...more });

  it('shows nobody what they could not see before', async () => {
    const folder = await discordFolder(house.path('shown'));
    const file = (name: string) => path.join(folder, name);
    await discordFile(file('mods/Private/mods.json'), GUILD, channel(20, 'mods'), [said(50, ADA, 'Secret')]);
    const plans = { type: 'GuildPublicThread', categoryId: channel(20, '').id, category: 'mods' };
    await discordFile(file('mods/Private/t.json'), GUILD, channel(21, 'plans', plans), [said(51, EVE, 'More')]);
    await discordFile(file('left.json'), GUILD, thread(25, 'left', { type: 'GuildPrivateThread' }), [
      said(58, EVE, 'Nobody here?'),
      said(59, EVE, 'Left the group.', { type: 'RecipientRemove', mentions: [EVE] }),
    ]);
    await discordFile(file('hidden.json'), GUILD, thread(22, 'hidden', { type: 'GuildPrivateThread' }), [
      said(52, BOB, 'Only us'),
      said(53, EVE, 'Bye'),
      said(54, EVE, 'Left the group.', { type: 'RecipientRemove', mentions: [EVE] }),
    ]);
    await discordFile(file('notes.json'), NO_GUILD, channel(23, 'ada', { type: 'DirectTextChat' }), [
      said(55, ADA, 'Note'),
    ]);
    const group = channel(24, 'trio', { type: 'DirectGroupTextChat' });
    await discordFile(file('group.json'), NO_GUILD, group, [
      said(56, BOB, 'Hi', { mentions: [EVE] }),
      said(57, ADA, 'Bob again', { reactions: [reacted('👍', [BOB])] }),
    ]);
    await house.client.query(
      `INSERT INTO users (id, username, username_key, display_name, kind)
       VALUES (gen_random_uuid(), 'boss', 'boss', 'Boss', 'human')`,
    );
    const before = await house.dump();
    const id = await house.carried('discord', folder, '--owner', 'boss');
    expect(await servers()).toEqual([
      // Who talks to nobody else, and two who talk already.
      { name: 'ada', channels: ['ada'], members: ['ada ADMIN'] },
      { name: 'hidden', channels: ['hidden'], members: ['bob ADMIN'] },
      { name: 'Home', channels: ['general'], members: ['ada MEMBER', 'bob MEMBER', 'boss ADMIN', 'robot MEMBER'] },
      { name: 'left', channels: ['left'], members: null },
      { name: 'mods', channels: ['mods'], members: ['ada ADMIN', 'eve ADMIN'] },
      { name: 'trio', channels: ['trio'], members: ['ada ADMIN', 'bob ADMIN'] },
    ]);
    expect(await house.rows(`SELECT count(*)::int AS size FROM directs`)).toEqual([{ size: 1 }]);
    expect((await messages(channel(21, '').id)).map(({ content }) => content)).toEqual(['More']);
    expect((await house.legacy('revert', id)).code).toBe(0);
    expect(await house.dump()).toEqual(before);
  }, 180_000);

  it('hangs threads on the message that tells of them, or on one that says their name', async () => {
    const folder = house.path('threads');
    const file = (name: string) => path.join(folder, `${name}.json`);
    const started = thread(30, 'Started', {});
    await discordFile(file('general'), GUILD, GENERAL, [
      said(1, ADA, 'One'),
      said(2, ADA, 'Started a thread.', {
        type: 'ThreadCreated',
        reference: { messageId: null, channelId: started.id },
      }),
      said(90, ADA, 'Last'),
    ]);
    await discordFile(file('started'), GUILD, started, [said(3, BOB, 'In it')]);
    await discordFile(file('lost'), GUILD, thread(0, 'Lost', { id: snowflake(60) }), [said(61, BOB, 'Of no message')]);
    const post = thread(31, 'How do I?', { categoryId: snowflake(-700_000), category: 'help' });
    await discordFile(file('post'), GUILD, post, [said(62, BOB, 'Please', { id: post.id })]);
    const id = await house.carried('discord', folder);
    expect(
      await house.rows(
        `SELECT ch.name, root.seq::int, root.role, root.content AS root, said.content
         FROM threads t JOIN messages root ON root.id = t.message_id JOIN channels ch ON ch.id = t.parent_id
         JOIN messages said ON said.conversation_id = t.id ORDER BY said.created_at`,
      ),
    ).toEqual([
      { name: 'general', seq: 2, role: 'system', root: 'Ada Lovelace started a thread: Started', content: 'In it' },
      { name: 'general', seq: 3, role: 'system', root: 'Lost', content: 'Of no message' },
      { name: 'help', seq: 1, role: 'system', root: 'How do I?', content: 'Please' },
    ]);
    expect((await messages(GENERAL.id)).map(({ seq, rev, content }) => [seq, rev, content])).toEqual([
      [1, 1, 'One'],
      [2, 3, 'Ada Lovelace started a thread: Started'],
      [3, 5, 'Lost'],
      [4, 6, 'Last'],
    ]);
    const again = await house.carry('discord', folder);
    expect(again.stdout).toContain('Nothing new');
    // Somebody answers in it: the thread is theirs too.
    await house.client.query(
      `UPDATE conversations SET last_rev = last_rev + 1 WHERE id = (SELECT id FROM threads ORDER BY id LIMIT 1)`,
    );
    await house.client.query(
      `INSERT INTO categories (id, server_id, name, name_key, position)
       SELECT gen_random_uuid(), id, 'Theirs', 'theirs', 5 FROM servers`,
    );
    expect((await house.legacy('revert', id)).stderr).toMatch(
      /conversation \d+: 1 change\(s\)[^]*server \d+: category Theirs came after the import/,
    );
  }, 180_000);

  it('takes the direct conversation that its people have here, and gives it back as it was', async () => {
    const folder = house.path('direct');
    await discordFile(path.join(folder, 'general.json'), GUILD, GENERAL, [said(1, ADA, 'A'), said(2, BOB, 'B')]);
    await house.carried('discord', folder);
    await house.client.query(
      `WITH room AS (
         INSERT INTO conversations (id, kind, last_seq, last_rev, last_message_at)
         VALUES (gen_random_uuid(), 'direct', 1, 1, '2025-01-01') RETURNING id
       ), direct AS (
         INSERT INTO directs (id, people_key)
         SELECT room.id, sha256(convert_to((SELECT string_agg(id::text, ',' ORDER BY id::text) FROM users), 'UTF8'))
         FROM room
       ), people AS (
         INSERT INTO direct_participants (direct_id, user_id) SELECT room.id, users.id FROM room, users
       )
       INSERT INTO messages (conversation_id, seq, rev, id, author_id, role, content, created_at)
       SELECT room.id, 1, 1, gen_random_uuid(), users.id, 'user', 'Here already', '2025-01-01'
       FROM room, users WHERE username = 'ada'`,
    );
    const between = await house.dump();
    const dm = channel(9, 'bob', { type: 'DirectTextChat' });
    await discordFile(path.join(folder, 'dm.json'), NO_GUILD, dm, [
      said(20, ADA, 'Psst', { isPinned: true }),
      said(21, BOB, 'What?'),
    ]);
    const id = await house.carried('discord', folder);
    expect((await messages(dm.id)).map(({ seq, rev, content }) => [seq, rev, content])).toEqual([
      [1, 1, 'Here already'],
      [2, 3, 'Psst'],
      [3, 4, 'What?'],
    ]);
    expect((await house.carry('discord', folder)).stdout).toContain('Nothing new');
    expect((await house.legacy('revert', id)).code).toBe(0);
    expect(await house.dump()).toEqual(between);
  }, 180_000);

  it('holds to the limits of the app, naming what goes beyond', async () => {
    const emojis = Array.from({ length: 22 }, (_, n) =>
      reacted(`e${n}`, [ADA], { emoji: { id: String(n + 1), name: `e${n}` } }),
    );
    const file = await discordFile(house.path('limits.json'), GUILD, GENERAL, [
      said(1, ADA, 'Answers what comes later', {
        type: 'Reply',
        reference: { messageId: snowflake(2), channelId: GENERAL.id },
      }),
      said(2, BOB, 'Loved', { reactions: [...emojis, reacted('👍', [ADA], { count: 8 }), reacted('no emoji', [BOB])] }),
      ...Array.from({ length: 52 }, (_, n) => said(10 + n, ADA, `pin ${n}`, { isPinned: true })),
    ]);
    const { code, stdout } = await house.carry('discord', file);
    expect({ code, stdout }).toEqual({ code: 2, stdout: expect.stringContaining('reactions: 24 found = 20 to carry') });
    expect(stdout).toContain('pins beyond the newest 50 of a conversation (2)');
    expect(stdout).toContain('replies to messages that are not there, or come later (1)');
    expect(stdout).toContain('reactions of people who are not named (table) (7)');
    expect((await house.rejects()).map(({ table, reason }) => `${table}: ${reason}`)).toEqual([
      ...Array<string>(3).fill('reactions: its message has 20 other kinds of reaction'),
      'reactions: neither an emoji nor a short name',
    ]);
    const pinned = await house.rows(
      `SELECT min(content) AS first, count(*)::int AS size FROM messages WHERE pinned_at IS NOT NULL`,
    );
    expect(pinned).toEqual([{ first: 'pin 10', size: 50 }]);
    expect(
      await house.rows(`SELECT jsonb_array_length(reactions) AS kinds FROM messages WHERE content = 'Loved'`),
    ).toEqual([{ kinds: 20 }]);
  }, 180_000);

  const whole = (messages: string, end = '"messageCount": 1') =>
    `{"guild": {"id": "${GUILD.id}", "name": "Home"}, "channel": ${JSON.stringify(GENERAL)}, "messages": [${messages}], ${end}}`;
  const one = JSON.stringify(said(1, ADA, 'One'));

  it.each([
    ['cut off in a message', whole(one).slice(0, 500), 'is cut off, or no JSON object with messages'],
    ['cut off before its end', whole(one).slice(0, -22), 'is cut off, or no JSON object with messages'],
    ['without a count at its end', whole(one, '"x": 1'), 'has 1 messages and does not count them at its end'],
    ['with fewer messages than it counts', whole(one, '"messageCount": 2'), 'has 1 messages and counts 2'],
    ['of something else', '{"messages": [], "messageCount": 0}', 'names no guild and channel'],
    ['of a list', '[{"messages": []}]', 'no JSON object with messages'],
    ['that is empty', '', 'no JSON object with messages'],
    ['in UTF-16', Buffer.from(`\uFEFF${whole(one)}`, 'utf16le'), 'no JSON object with messages'],
    ['with a mountain beside its messages', `{"x": "${'x'.repeat(2 ** 21)}", "messages": []}`, 'too much in it beside'],
  ])('refuses a file %s with a clear word', async (_, content, word) => {
    const file = house.path('broken.json');
    await writeFile(file, content);
    const { code, stderr } = await house.carry('discord', file);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(word) });
    expect(stderr).not.toMatch(/\n +at /);
  });

  it('stores what cannot be stored by its stand-in, wherever it stands', async () => {
    const NUL = 'a\u0000b';
    const user = { id: NUL, name: NUL, nickname: NUL };
    const emoji = { id: NUL, name: NUL };
    const message = {
      ...{ type: 'Reply', content: `<@${NUL}> @${NUL}`, author: ADA, mentions: [user], isPinned: true },
      ...{
        reference: { messageId: NUL, channelId: GENERAL.id },
        reactions: [reacted('👍', [user]), reacted('x', [ADA], { emoji })],
      },
      ...{ attachments: [{ fileName: NUL, url: `https://x/${NUL}` }], stickers: [{ name: NUL, sourceUrl: NUL }] },
      ...{
        embeds: [{ title: NUL, url: NUL, fields: [{ name: NUL, value: NUL }] }],
        forwardedMessage: { content: NUL },
      },
    };
    const messages = [
      { ...message, id: '1' },
      { ...message, id: '2', content: '', author: user },
      { ...message, id: '3', content: '', forwardedMessage: null },
      { ...message, id: '4', type: 'ThreadCreated', reference: { channelId: NUL } },
      { ...message, id: NUL, type: NUL, author: { ...user, id: 'u' } },
    ];
    const folder = house.path('nul');
    const guild = { id: NUL, name: NUL, iconUrl: `https://${NUL}` };
    await discordFile(
      path.join(folder, 'a.json'),
      guild,
      { ...GENERAL, name: NUL, topic: NUL, category: NUL },
      messages,
    );
    const of = { id: NUL, name: NUL, type: 'GuildPublicThread', categoryId: GENERAL.id };
    await discordFile(path.join(folder, 'b.json'), guild, of, [{ ...message, id: '5', type: '21' }]);
    const { code, stdout, stderr } = await house.carry('discord', folder);
    expect([code, code === 2 ? '' : stderr + stdout]).toEqual([2, '']);
    expect(stdout).toContain('messages: 6 found = 6 to carry');
    expect(await house.rows(`SELECT name FROM channels`)).toEqual([{ name: 'a␀b' }]);
  }, 180_000);

  it('takes what is odd for what it is, and rejects what is none', async () => {
    const deep = `{"id": "9", "author": ${'['.repeat(600)}${']'.repeat(600)}}`;
    const odd = [
      // Everything of another type than it should be.
      { id: 7, type: 3, timestamp: '2024-01-01T10:00:00+02:00', content: 12, author: { id: 'u' }, attachments: {} },
      {
        id: 'm',
        timestamp: '2024-01-01T10:00:00.1234567+00:00',
        author: { id: 'u', name: ['x'] },
        embeds: 'x',
        reactions: [1],
      },
      {
        id: 'n',
        author: { id: 'u' },
        content: 'No time',
        mentions: [null],
        reference: 5,
        reactions: [{ users: [{}] }],
      },
      { id: 'nul', author: { id: 'u' }, content: 'a\u0000b\ud800' },
      { id: 'huge', author: { id: 'u' }, content: 'x'.repeat(200_001) },
      { id: 'date', author: { id: 'u' }, timestamp: 'yesterday' },
      { id: 'nobody', content: 'x' },
      { author: { id: 'u' }, content: 'x' },
    ].map((message) => JSON.stringify(message));
    const broken = ['5', 'null', deep, `{"id": 12345678901234567890, "author": {"id": "u"}}`, '{"id": broken}'];
    const rows = [...odd, ...broken];
    await writeFile(house.path('odd.json'), whole(rows.join(',\n'), `"messageCount": ${rows.length}`));
    const { code, stdout } = await house.carry('discord', house.path('odd.json'));
    expect({ code, stdout }).toEqual({ code: 2, stdout: expect.stringContaining('messages: 13 found = 4 to carry') });
    expect((await house.rejects()).map(({ reason }) => reason).sort()).toEqual([
      'content is longer than 200000 characters (one beyond ASCII counts for four)',
      'its id is no text',
      'nested too deeply',
      'no author',
      'no id',
      'no user',
      'not a message',
      'not a message',
      'not valid JSON',
      'unreadable date',
    ]);
    expect((await messages(GENERAL.id)).map(({ role, content }) => [role, content])).toEqual([
      ['user', 'No time'],
      ['user', 'a\u2400b\ufffd'],
      ['system', 'Somebody 12'],
      ['user', ''],
    ]);
  }, 180_000);
});

/** What people did since to messages that were carried before. */
const NEWER: Record<string, object> = {
  [snowflake(2)]: { reactions: [reacted('👍', [BOB]), reacted('🎉', [BOB, ADA]), reacted('👀', [BOB])] },
  [snowflake(4)]: {
    ...{ content: 'An answer, edited since', timestampEdited: at(40).toISOString() },
    reactions: [reacted('👍', [BOB])],
  },
};
