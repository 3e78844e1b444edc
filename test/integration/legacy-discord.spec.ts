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
  GENERAL,
  GUILD,
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
        ...{ ...plain, seq: 2, rev: 5, role: 'user', who: 'ada', content: 'Hello @bob' },
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
    ).toEqual([{ username: 'bob', content: 'Hello @bob', metadata: null }]);
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
        ...{ ...plain, seq: 2, rev: 18, role: 'user', who: 'ada', content: 'Hello @bob' },
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
});

/** What people did since to messages that were carried before. */
const NEWER: Record<string, object> = {
  [snowflake(2)]: { reactions: [reacted('👍', [BOB]), reacted('🎉', [BOB, ADA]), reacted('👀', [BOB])] },
  [snowflake(4)]: {
    ...{ content: 'An answer, edited since', timestampEdited: at(40).toISOString() },
    reactions: [reacted('👍', [BOB])],
  },
};
