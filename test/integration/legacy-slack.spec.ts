import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openSlack } from '../../src/legacy/import/readers/slack.js';
import { LegacyHouse } from '../support/legacy-commands.js';
import { slackFiles, slackMessage, slackTs, slackZip } from '../support/old-exports.js';

describe('the export of Slack', () => {
  let house: LegacyHouse;

  beforeAll(async () => (house = await LegacyHouse.open()), 60_000);
  afterAll(() => house.close(), 60_000);
  afterEach(() => house.empty(), 60_000);

  const zip = async (name: string, files: Record<string, unknown>, top?: string) => {
    await writeFile(house.path(name), slackZip(files, top));
    return house.path(name);
  };
  const said = async () => {
    const rows = await house.rows<{ room: string; by: string | null; content: string }>(
      `SELECT i.external_id AS room, u.username AS by, m.content FROM messages m
       JOIN imported_ids i ON i.target_id = m.conversation_id AND i.kind = 'conversation'
       LEFT JOIN users u ON u.id = m.author_id ORDER BY 1, m.seq`,
    );
    return rows.map(({ room, by, content }) => `${room} ${by ?? '-'}: ${content}`);
  };
  const added = (files: Record<string, unknown>, file: string, ...rows: unknown[]) => ({
    ...files,
    [file]: [...((files[file] as unknown[] | undefined) ?? []), ...rows],
  });

  it('makes the workspace a server, what was closed to others servers of their own, and keeps what was said as it was said', async () => {
    await house.client.query(
      `INSERT INTO users (id, username, username_key, display_name)
       VALUES ('01990000-0000-7000-8000-00000000aaaa', 'bob', 'bob', 'Another Bob')`,
    );
    const before = await house.dump();
    const source = await zip('Acme Inc Slack export Nov 14 2023.zip', slackFiles(), 'Acme/');
    const { code, stdout } = await house.carry('slack', source);
    expect(code).toBe(0);
    for (const line of [
      ...['users: 6 found = 6 to carry', 'servers: 3 found = 3 to carry', 'memberships: 6 found = 6 to carry'],
      ...['threads: 3 found = 3 to carry', 'messages: 17 found = 17 to carry', 'reactions: 4 found = 4 to carry'],
      ...[
        'channels.members (2)',
        'messages, message_changed (table) (1)',
        'guests, as members of the workspace (table) (1)',
      ],
      ...[
        'reactions of nobody in particular (table) (1)',
        'Acme/integration_logs.json (table) (1)',
        'Renamed: bob -> bob-legacy',
      ],
    ]) {
      expect(stdout).toContain(line);
    }
    const people = await house.rows(
      `SELECT s.name AS server, u.username AS name, m.role FROM memberships m JOIN servers s ON s.id = m.server_id
       JOIN users u ON u.id = m.user_id ORDER BY 1, 2`,
    );
    expect(people.map(({ server, name, role }) => [server, name, role].join(' '))).toEqual([
      ...['Acme Inc ada ADMIN', 'Acme Inc bob-legacy MEMBER', 'Acme Inc carl MODERATOR', 'ada ada ADMIN'],
      ...['secret ada MEMBER', 'secret bob-legacy ADMIN'],
    ]);
    const channels = await house.rows(
      `SELECT s.name AS server, c.name, c.topic, k.name AS heading FROM channels c JOIN servers s ON s.id = c.server_id
       LEFT JOIN categories k ON k.id = c.category_id ORDER BY 1, c.position`,
    );
    expect(channels).toEqual([
      { server: 'Acme Inc', name: 'general', topic: 'A & B', heading: null },
      { server: 'Acme Inc', name: 'old', topic: 'Of old', heading: 'Archived' },
      { server: 'ada', name: 'messages', topic: null, heading: null },
      { server: 'secret', name: 'secret', topic: null, heading: null },
    ]);
    const directs = await house.rows(
      `SELECT array_agg(u.username ORDER BY u.username) AS people FROM direct_participants p JOIN users u ON u.id = p.user_id
       GROUP BY p.direct_id ORDER BY count(*)`,
    );
    expect(directs.map((row) => row.people)).toEqual([
      ['ada', 'bob-legacy'],
      ['ada', 'bob-legacy', 'carl'],
    ]);
    expect(await said()).toEqual([
      'C1 -: @ada has joined the channel',
      'C1 ada: Hi @bob-legacy, see #old & [this](https://x.org)',
      'C1 -: Thread',
      'C1 bob-legacy: A question',
      'C1 ada: To all',
      'C1 deployer: Build [1](https://ci.org)',
      'C1 bob-legacy: [plan.pdf](https://files.slack.com/files-pri/T1-F1/plan.pdf)',
      'C1 bob-legacy: _thinks_',
      `C1/${slackTs(3)} bob-legacy: Lost root`,
      `C1/${slackTs(10)} ada: Late answer @bob-legacy`,
      `C1/${slackTs(10)} carl: Early answer`,
      'C2 eve: I was here',
      'D1 ada: Between us',
      'D1 bob-legacy: At once',
      'D2 ada: Note to self',
      'G1 bob-legacy: Only @ada knows the word rhubarb',
      `G1/${slackTs(3)} ada: Yes`,
      'G2 carl: We three',
    ]);
    const [hi] = await house.rows(
      `SELECT m.reactions, m.edited_at AS edited, m.pinned_at IS NOT NULL AS pinned, m.created_at AS at, u.username AS mentioned
       FROM messages m JOIN users u ON u.id = ANY (m.mentions) WHERE content LIKE 'Hi %'`,
    );
    expect(hi).toEqual({
      ...{
        pinned: true,
        mentioned: 'bob-legacy',
        at: new Date(1_700_000_001_000),
        edited: new Date(1_700_000_005_000),
      },
      reactions: [
        { emoji: '👍', count: 2 },
        { emoji: ':party-parrot:', count: 1 },
      ],
    });
    const [broadcast] = await house.rows(
      `SELECT r.content FROM messages m JOIN messages r ON r.id = m.reply_to_id WHERE m.content = 'To all'`,
    );
    expect(broadcast).toEqual({ content: 'A question' });
    const beside = await house.rows(`SELECT metadata FROM messages WHERE metadata IS NOT NULL ORDER BY metadata::text`);
    expect(JSON.stringify(beside)).not.toContain('xoxe');
    expect(beside).toContainEqual({ metadata: { username: 'Deploy' } });

    const [row] = await house.rows<{ id: string }>(`SELECT id FROM imports`);
    expect((await house.legacy('revert', row?.id ?? '')).code).toBe(0);
    expect(await house.dump()).toEqual(before);
  }, 180_000);

  it('adds from a newer export what is new, though people are called otherwise by then, and takes just that out again', async () => {
    const files = slackFiles();
    await house.carried('slack', await zip('Acme Slack export 1.zip', files));
    await house.client.query(`UPDATE users SET username = 'robert', username_key = 'robert' WHERE username = 'bob'`);
    const once = await house.dump();
    const edited = (files['secret/2023-11-14.json'] as object[]).map((row) =>
      (row as { text: string }).text === 'Yes' ? { ...row, text: 'No', edited: { user: 'U1', ts: slackTs(99) } } : row,
    );
    let newer: Record<string, unknown> = { ...files, 'secret/2023-11-14.json': edited };
    newer = added(newer, 'users.json', { id: 'U7', name: 'fay', team_id: 'T1', profile: { email: 'fay@example.org' } });
    newer = added(
      newer,
      'general/2023-11-16.json',
      slackMessage('U7', 100, 'I am new, <@U2>', { reactions: [{ name: 'wave', users: ['U1'], count: 1 }] }),
      slackMessage('U2', 101, 'Another answer', { thread_ts: slackTs(10) }),
      slackMessage('U7', 102, 'On the old plan', { thread_ts: slackTs(21) }),
    );
    newer = added(newer, 'dms.json', { id: 'D3', created: 1_700_000_000, members: ['U1', 'U7'] });
    newer = added(newer, 'D3/2023-11-16.json', slackMessage('U7', 103, 'Hello'));
    const source = await zip('Acme Slack export 2.zip', newer);
    const { code, stdout } = await house.carry('slack', source);
    expect(code).toBe(2);
    expect((await house.rejects()).map(({ table, reason }) => `${table}: ${reason}`)).toEqual([
      'messages: its id was carried before with another content',
    ]);
    for (const line of [
      ...['users: 7 found = 1 to carry + 6 carried before', 'threads: 4 found = 1 to carry + 3 carried before'],
      ...['messages: 21 found = 4 to carry + 16 carried before + 1 rejected'],
      ...['reactions: 5 found = 1 to carry + 4 carried before', 'memberships: 7 found = 1 to carry + 6 carried before'],
    ]) {
      expect(stdout).toContain(line);
    }
    const news = await said();
    expect(news).toContain('C1 fay: I am new, @robert');
    expect(news.filter((line) => line.startsWith(`C1/${slackTs(10)}`))).toHaveLength(3);
    expect(news).toContain(`C1/${slackTs(21)} fay: On the old plan`);
    const [last] = await house.rows<{ id: string }>(`SELECT id FROM imports ORDER BY id DESC LIMIT 1`);
    expect((await house.legacy('revert', last?.id ?? '')).code).toBe(0);
    expect(await house.dump()).toEqual(once);
  }, 180_000);

  it('keeps what was private among those who were in it, whatever number they are', async () => {
    const crowd = Array.from({ length: 12 }, (_, n) => ({ id: `U1${n}`, name: `person${n}`, team_id: 'T1' }));
    const ids = crowd.map(({ id }) => id);
    const files = {
      'users.json': [...crowd, { id: 'U99', name: 'stranger', team_id: 'T2', is_stranger: true }],
      'dms.json': [
        { id: 'D1', members: ['U10', 'U11'] },
        { id: 'D2', members: ['U11', 'U10'] },
      ],
      'mpims.json': [{ id: 'G9', name: 'mpdm-all', members: ids }],
      'groups.json': [{ id: 'G1', name: 'closed', creator: 'U98', members: ['U99', 'U12'], created: 1_600_000_000 }],
      'mpdm-all/2023-11-14.json': [slackMessage('U10', 1, 'All twelve')],
      'D2/2023-11-14.json': [slackMessage('U10', 1, 'Again')],
    };
    expect((await house.carry('slack', await zip('export.zip', files))).code).toBe(0);
    const servers = await house.rows<{ name: string; size: number; heads: string[] }>(
      `SELECT s.name, count(m.user_id)::int AS size,
         array_agg(u.username) FILTER (WHERE m.role = 'ADMIN') AS heads
       FROM servers s LEFT JOIN memberships m ON m.server_id = s.id LEFT JOIN users u ON u.id = m.user_id GROUP BY s.id ORDER BY 1`,
    );
    expect(servers).toEqual([
      { name: 'Slack', size: 12, heads: null },
      { name: 'closed', size: 2, heads: ['person2'] },
      {
        name: `${crowd
          .slice(0, 11)
          .map(({ name }) => name)
          .join(', ')} ...`,
        size: 12,
        heads: ['person0'],
      },
      { name: 'person1, person0', size: 2, heads: ['person1'] },
    ]);
    expect(await house.rows(`SELECT count(*)::int AS size FROM directs`)).toEqual([{ size: 1 }]);
  }, 180_000);

  it('takes what is private for that in whatever list it stands, and shows nobody what a channel has that was closed since', async () => {
    const files = slackFiles();
    const everything = ['channels', 'groups', 'mpims'].flatMap((list) =>
      (files[`${list}.json`] as { id: string }[]).map((room) => ({
        ...room,
        ...{ is_private: list !== 'channels', is_mpim: list === 'mpims' },
      })),
    );
    const { 'groups.json': _, 'mpims.json': __, ...rest } = files;
    const first = { ...rest, 'channels.json': everything };
    await house.carried('slack', await zip('one list.zip', first));
    const kinds = `SELECT s.name, count(*)::int AS size FROM servers s JOIN channels c ON c.server_id = s.id GROUP BY 1 ORDER BY 1`;
    expect(await house.rows(kinds)).toEqual([
      { name: 'Slack', size: 2 },
      { name: 'ada', size: 1 },
      { name: 'secret', size: 1 },
    ]);
    expect(await house.rows(`SELECT count(*)::int AS size FROM directs`)).toEqual([{ size: 2 }]);

    const before = await said();
    const closed = everything.map((room) => (room.id === 'C1' ? { ...room, is_private: true, members: ['U1'] } : room));
    const later = added(
      { ...first, 'channels.json': closed },
      'general/2023-11-16.json',
      slackMessage('U1', 200, 'For nobody else'),
      slackMessage('U1', 201, 'Nor this', { thread_ts: slackTs(10) }),
      slackMessage('U1', 202, 'Nor this thread', { thread_ts: slackTs(1) }),
    );
    const old = later['general/2023-11-14.json'] as Record<string, unknown>[];
    const reacted = old.map((row) => ({ ...row, reactions: [{ name: 'eyes', users: ['U1'] }] }));
    const { code } = await house.carry(
      'slack',
      await zip('closed.zip', { ...later, 'general/2023-11-14.json': reacted }),
    );
    expect(code).toBe(2);
    const reasons = (await house.rejects()).map(({ table, reason }) => `${table}: ${reason.split(':')[0]}`);
    const moved = 'it was carried before as another kind of conversation, or of another server';
    expect(reasons.filter((reason) => reason.startsWith('threads'))).toHaveLength(3);
    expect(reasons.filter((reason) => reason === `messages: ${moved}`)).toHaveLength(3);
    expect(
      reasons.filter((reason) => reason === 'reactions: its conversation is missing or was not carried'),
    ).toHaveLength(6);
    expect(await said()).toEqual(before);
    expect(await house.rows(`SELECT 1 FROM reactions WHERE emoji = '👀'`)).toEqual([]);
  }, 180_000);

  it('rejects by name what cannot be read, folder or ZIP, and loses nothing beside it', async () => {
    const folder = house.path('odd');
    const odd: Record<string, unknown> = {
      'users.json': [{ id: 'U1', name: 'ada', profile: 'none' }, { name: 'nobody' }, 5],
      'channels.json': [{ id: 'C1', name: 'general', topic: 7, members: 'all', pins: {} }, { name: 'no id' }],
      'groups.json': [{ id: ' G1 ', name: 'Blanks', members: ['U1', 'nul \u0000', 'x'.repeat(2000)] }],
      'general/2023-11-14.json': [
        slackMessage('U1', 1, 'Good'),
        slackMessage('U1', 2, 'y'.repeat(300_000)),
        { type: 'message', user: 'U1', text: 'No time' },
        { type: 'message', ts: slackTs(3), text: 'No author' },
        slackMessage('U1', 4, ''),
        slackMessage('U1', 5, 'half \ud800 and \u0000', {
          reactions: [{ users: ['U1'] }, 'x'],
          files: [{}],
          attachments: 'x',
        }),
        slackMessage('U1', 1, 'Same time'),
        slackMessage('U8', 6, 'From beyond', { user_profile: { name: 'zed', real_name: 'Zed' } }),
        { type: 'message', user: 'U1', ts: slackTs(7), subtype: 'channel_archive' },
        'text',
        slackMessage('half \ud800', 10, 'Half a name'),
        slackMessage('U'.repeat(1001), 12, 'Longer than any id'),
        slackMessage('U1', 11, 'In no thread', { thread_ts: 'nul \u0000' }),
        {
          type: 'message',
          user: 'U1',
          ts: slackTs(8),
          blocks: [{ type: 'section', text: { text: 'In a <#C1> block' } }],
        },
      ],
      'elsewhere/2023-11-14.json': [slackMessage('U1', 9, 'Lost')],
    };
    for (const [name, content] of Object.entries(odd)) {
      await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
      await writeFile(path.join(folder, name), JSON.stringify(content));
    }
    const { code, stdout, stderr } = await house.carry('slack', folder);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.not.stringMatching(/\n\s+at /) });
    expect((await house.rejects()).map(({ table, reason }) => `${table}: ${reason}`)).toEqual([
      'users: profile is no JSON object',
      ...['users: no id', 'users: no object', 'channels: no id', 'threads: unreadable ts'],
      'messages: orphaned message: its conversation is missing or was not carried',
      'messages: text is longer than 200000 characters (one beyond ASCII counts for four)',
      ...['messages: unreadable ts', 'messages: no author', 'messages: neither text nor files'],
      ...['messages: duplicate id', 'messages: no message', 'messages: no author'],
      'messages: orphaned message: its conversation is missing or was not carried',
    ]);
    expect(stdout).toContain('Unstorable characters replaced in:\n  messages.text (1)');
    expect(await said()).toEqual([
      'C1 U1: Good',
      'C1 U1: half \ufffd and \u2400\nfile',
      'C1 zed: From beyond',
      'C1 -: channel archive',
      'C1 U1: In a #general block',
      'C1 user-half-: Half a name',
    ]);
    await expect(openSlack(await zip('other.zip', { 'conversations.json': [] }))).rejects.toThrow(
      /it is no export of Slack/,
    );
    const cut = await zip('cut.zip', { ...slackFiles(), 'general/2023-11-14.json': '[{"ts": "1.000' });
    await expect(openSlack(cut)).rejects.toThrow(/2023-11-14\.json is truncated or no JSON/);
  }, 180_000);

  it('is stopped by no id of a channel, and no name of a folder, that cannot be stored as it is', async () => {
    const channel = (id: string, name: string) => ({ id, name, members: ['U1'] });
    const source = await zip('ids.zip', {
      'users.json': [{ id: 'U1', name: 'ada' }],
      'channels.json': [channel('C1', 'general'), channel('C2\u0000', 'nul'), channel(' C3 ', 'wide')],
      'nul/2023-11-14.json': [slackMessage('U1', 1, 'In the one with a NUL')],
      'wide/2023-11-14.json': [slackMessage('U1', 2, 'In the one with spaces')],
      'no\u0000where/2023-11-14.json': [slackMessage('U1', 3, 'In none')],
    });
    expect(await house.carry('slack', source)).toMatchObject({ code: 2, stderr: expect.not.stringContaining('  at ') });
    expect((await house.rejects()).map(({ table, reason }) => `${table}: ${reason}`)).toEqual([
      'messages: orphaned message: its conversation is missing or was not carried',
    ]);
    expect(await said()).toEqual(['C2\u2400 ada: In the one with a NUL', 'C3 ada: In the one with spaces']);
  }, 180_000);
});
