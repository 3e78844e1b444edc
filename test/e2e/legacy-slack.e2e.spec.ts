import { writeFile } from 'node:fs/promises';
import { LegacyHouse } from '../support/legacy-commands.js';
import { slackFiles, slackZip } from '../support/old-exports.js';
import { call, Person } from '../support/people.js';
import { runApp, runCommand, type RunningApp } from '../support/run-app.js';

const ADMIN = 'dist/src/operations/cli/admin.js';

describe('people who came over from Slack', () => {
  let house: LegacyHouse;
  let app: RunningApp;
  let importId: string;
  const people: Record<string, Person> = {};

  beforeAll(async () => {
    house = await LegacyHouse.open();
    app = await runApp({ DATABASE_URL: house.database.url, RATE_LIMIT: 'off' });
    await writeFile(house.path('Acme Slack export.zip'), slackZip(slackFiles()));
    importId = await house.carried('slack', house.path('Acme Slack export.zip'));
    for (const name of ['ada', 'bob', 'carl', 'dora', 'eve']) people[name] = await claimed(name);
  }, 120_000);

  afterAll(async () => {
    await app.stop();
    await house.close();
  }, 60_000);

  /** As an administrator hands an account to the person whose it is. */
  async function claimed(login: string): Promise<Person> {
    const { stdout } = await runCommand([ADMIN, 'user:reset-password', login], { DATABASE_URL: house.database.url });
    const token = /"token": "([^"]+)"/.exec(stdout)?.[1];
    const password = `${login} has a long password`;
    await call(app.url, 'POST', '/api/v1/auth/password/reset', { token, newPassword: password });
    const { body } = await call(app.url, 'POST', '/api/v1/auth/login', { login: `${login}@example.org`, password });
    return new Person(app.url, login, password, body.user.id, body.accessToken);
  }

  const of = (name: string) => people[name] as Person;
  const rooms = async (name: string) => {
    const { items } = (await of(name).get('/conversations')).body;
    return items.map(({ kind, title, unread }: any) => `${kind} ${title ?? ''} ${unread}`).sort();
  };
  const roomOf = async (name: string, server: string) => {
    const { items } = (await of(name).get('/servers')).body;
    const { id } = items.find((each: any) => each.name === server);
    return (await of(name).get(`/servers/${id}`)).body;
  };

  it('find the channels, threads and direct conversations that they were in, read, and no others', async () => {
    const open = ['channel general 0', 'channel old 0'];
    const three = (names: string) => `direct ${names} 0`;
    expect(await rooms('ada')).toEqual([
      ...[open[0], 'channel messages 0', open[1], 'channel secret 0'],
      ...[three('bob Real'), three('bob Real, carl Real'), 'thread  0', 'thread  0'],
    ]);
    expect(await rooms('bob')).toEqual([
      ...[...open, 'channel secret 0', three('Ada L'), three('Ada L, carl Real'), 'thread  0'],
    ]);
    expect(await rooms('carl')).toEqual([...open, three('Ada L, bob Real'), 'thread  0']);
    expect(await rooms('dora')).toEqual([]);
    expect(await rooms('eve')).toEqual([]);
  });

  it('read what was said with its reactions, pins, edits, mentions and threads, and go on', async () => {
    const { channels } = await roomOf('bob', 'Acme');
    const general = channels.find(({ name }: any) => name === 'general').id;
    const { items } = (await of('bob').get(`/conversations/${general}/messages?limit=50`)).body;
    const hi = items.find(({ content }: any) => content.startsWith('Hi '));
    expect(hi).toMatchObject({
      ...{ content: 'Hi @bob, see #old & [this](https://x.org)', mentions: [of('bob').id] },
      ...{ createdAt: '2023-11-14T22:13:21.000Z', editedAt: '2023-11-14T22:13:25.000Z' },
      reactions: [
        { emoji: '👍', count: 2, me: true },
        { emoji: ':party-parrot:', count: 1, me: false },
      ],
    });
    const pins = (await of('bob').get(`/conversations/${general}/pins`)).body.items;
    expect(pins.map(({ id }: any) => id)).toEqual([hi.id]);
    const question = items.find(({ content }: any) => content === 'A question');
    const thread = (await of('carl').get(`/conversations/${question.threadId}/messages?limit=50`)).body.items;
    expect(thread.map(({ content }: any) => content)).toEqual(['Late answer @bob', 'Early answer']);
    expect(items.find(({ content }: any) => content === 'To all').replyToId).toBe(question.id);
    expect(thread[0].mentions).toEqual([of('bob').id]);
    expect((await of('bob').say(question.threadId, 'And on')).seq).toBe(3);
    expect(
      (await of('carl').delete(`/conversations/${general}/messages/${hi.id}/reactions/${encodeURIComponent('👍')}`))
        .status,
    ).toBe(204);
  });

  it('see nothing of a private channel that they were not in, by whatever way they ask', async () => {
    const { id: server, channels } = await roomOf('ada', 'secret');
    const [{ id: channel }] = channels;
    const { items } = (await of('ada').get(`/conversations/${channel}/messages`)).body;
    const thread = items.find(({ threadId }: any) => threadId).threadId;
    const ways = [
      ...[`/servers/${server}`, `/servers/${server}/members`, `/conversations/${channel}`, `/conversations/${thread}`],
      ...[`/conversations/${channel}/messages`, `/conversations/${thread}/messages`, `/conversations/${channel}/pins`],
    ];
    for (const way of ways) {
      expect([way, (await of('bob').get(way)).status]).toEqual([way, 200]);
      for (const name of ['carl', 'dora', 'eve'])
        expect([way, name, (await of(name).get(way)).status]).toEqual([way, name, 404]);
    }
    const found = async (name: string) => (await of(name).get('/search?q=rhubarb')).body.items.length;
    expect([await found('ada'), await found('bob'), await found('carl'), await found('dora')]).toEqual([1, 1, 0, 0]);
  });

  it('keep the import from being taken out once they have written', async () => {
    const refused = await house.legacy('revert', importId);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('Nothing was reverted: people have') });
  });
});
