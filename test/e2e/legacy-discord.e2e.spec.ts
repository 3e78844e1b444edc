import path from 'node:path';
import { discordFolder } from '../support/discord-export.js';
import { LegacyHouse } from '../support/legacy-commands.js';
import { call, Person, person, serverOf } from '../support/people.js';
import { runApp, runCommand, type RunningApp } from '../support/run-app.js';

type View = Record<string, any>;

describe('people who came over from Discord', () => {
  let house: LegacyHouse;
  let app: RunningApp;
  let importId: string;
  let ada: Person;
  let bob: Person;
  let general: string;

  /** As an administrator lets somebody have the account that was made of them. */
  async function claim(username: string): Promise<Person> {
    const admin = path.join('dist', 'src', 'operations', 'cli', 'admin.js');
    const { stdout } = await runCommand([admin, 'user:reset-password', username], { DATABASE_URL: house.database.url });
    const [, token] = /"token": "([^"]+)"/.exec(stdout) ?? [];
    const password = 'a horse that is new here';
    await call(app.url, 'POST', '/api/v1/auth/password/reset', { token, newPassword: password });
    const { body } = await call(app.url, 'POST', '/api/v1/auth/login', { login: username, password });
    return new Person(app.url, username, password, body.user.id, body.accessToken);
  }

  beforeAll(async () => {
    house = await LegacyHouse.open();
    app = await runApp({ DATABASE_URL: house.database.url, RATE_LIMIT: 'off' });
    importId = await house.carried('discord', await discordFolder(house.path('discord')));
    [ada, bob] = [await claim('ada'), await claim('bob')];
    general = (await ada.get('/conversations?kind=channel')).body.items[0].id;
  }, 120_000);

  afterAll(async () => {
    await app.stop();
    await house.close();
  }, 60_000);

  const messagesOf = async (who: Person, id: string): Promise<View[]> =>
    (await who.get(`/conversations/${id}/messages?after=0&limit=100`)).body.items;

  it('find everything where it was, and have read it', async () => {
    const inbox = (await ada.get('/conversations')).body.items as View[];
    expect(
      inbox.map(({ kind, title, lastSeq, rev, lastReadSeq, unread, mentions }) => [
        ...[kind, title, lastSeq, rev, lastReadSeq, unread, mentions],
      ]),
    ).toEqual([
      ['direct', 'bob', 2, 2, 2, 0, 0],
      ['thread', null, 3, 4, 3, 0, 0],
      ['channel', 'general', 7, 13, 7, 0, 0],
    ]);
    const [, hello, edited, answer] = await messagesOf(ada, general);
    expect(hello).toMatchObject({
      mentions: [bob.id],
      reactions: [
        { emoji: '👍', count: 2, me: false },
        { emoji: '🎉', count: 1 },
      ],
    });
    expect(edited).toMatchObject({ threadId: inbox[1]?.id, editedAt: '2024-01-15T10:31:30.000Z' });
    expect(answer).toMatchObject({ replyToId: hello?.id, createdAt: '2024-01-15T10:30:04.000Z' });
    expect((await bob.get(`/conversations/${general}/pins`)).body.items).toEqual([edited]);
    const reactors = `/conversations/${general}/messages/${hello?.id}/reactions/${encodeURIComponent('👍')}`;
    expect((await ada.get(reactors)).body.items.map(({ username }: View) => username)).toEqual(['bob', 'robot']);
    expect((await ada.get('/search?q=thread')).body.items).toMatchObject([{ message: { content: 'In the thread' } }]);
    expect((await ada.get(`/conversations/${general}/changes?after=0`)).body.items.map(({ rev }: View) => rev)).toEqual(
      [1, 5, 9, 10, 11, 12, 13],
    );
    expect((await ada.post('/directs', { userIds: [bob.id] })).body.id).toBe(inbox[0]?.id);
  }, 60_000);

  it('have it in the form in which the app would have stored the same', async () => {
    const [eve, dan] = [await person(app.url, 'eve'), await person(app.url, 'dan')];
    const here = await serverOf(eve, dan);
    const at = `/conversations/${here.general}`;
    const say = async (who: Person, content: string, more: object = {}): Promise<View> =>
      (await who.post(`${at}/messages`, { content, ...more })).body;
    const hello = await say(eve, `Hello @${dan.name}`);
    for (const emoji of ['👍', '🎉']) {
      await dan.put(`${at}/messages/${hello.id}/reactions/${encodeURIComponent(emoji)}`);
    }
    const edited = await say(dan, 'Edited');
    await dan.patch(`${at}/messages/${edited.id}`, { content: 'Edited now' });
    await eve.put(`${at}/messages/${edited.id}/pin`);
    const thread = (await eve.post(`${at}/messages/${edited.id}/thread`)).body;
    await eve.post(`/conversations/${thread.id}/messages`, { content: 'In the thread' });
    await say(eve, 'An answer', { replyToId: hello.id });

    const shape = (message: View) =>
      Object.fromEntries(Object.entries(message).map(([name, value]) => [name, typeOf(value)]));
    const shapes = async (who: Person, id: string) =>
      Object.fromEntries(
        (await messagesOf(who, id)).map((message) => [String(message.content).slice(0, 5), shape(message)]),
      );
    const made = await shapes(eve, here.general);
    const came = await shapes(ada, general);
    for (const text of ['Hello', 'Edite', 'An an']) expect([text, came[text]]).toEqual([text, made[text]]);
    const rows = await house.rows<View>(
      `SELECT m.id, to_jsonb(m) - ARRAY['nonce', 'sent_hash'] AS message, to_jsonb(t) AS thread, (
         SELECT jsonb_agg(to_jsonb(p)) FROM thread_participants p WHERE p.thread_id = t.id) AS people
       FROM messages m JOIN threads t ON t.message_id = m.id ORDER BY m.created_at`,
    );
    expect(rows).toHaveLength(2);
    expect(shape(rows[0]?.thread)).toEqual(shape(rows[1]?.thread));
    expect(shape(rows[0]?.message)).toEqual(shape(rows[1]?.message));
    expect(rows[0]?.people.length).toBe(2);
  }, 60_000);

  it('react, answer and read on, and then the import stays', async () => {
    const [, hello] = await messagesOf(ada, general);
    const party = `/conversations/${general}/messages/${hello?.id}/reactions/${encodeURIComponent('🎉')}`;
    expect((await ada.put(party)).body.reactions[1]).toEqual({ emoji: '🎉', count: 2, me: true });
    expect((await bob.delete(party)).status).toBe(204);
    expect((await ada.delete(party)).status).toBe(204);
    const again = await house.carry('discord', house.path('discord'));
    expect(again.stdout).toContain('Nothing new');
    expect((await messagesOf(ada, general))[1]?.reactions).toEqual([{ emoji: '👍', count: 2, me: false }]);
    const sent = await bob.post(`/conversations/${general}/messages`, { content: 'Still here' });
    expect(sent.body.seq).toBe(8);
    expect((await ada.get('/conversations?kind=channel')).body.items[0]).toMatchObject({ unread: 1, rev: 17 });
    const refused = await house.legacy('revert', importId);
    expect(refused.stderr).toMatch(/conversation \d+: 4 change\(s\), message \S+ by bob of/);
  }, 60_000);
});

/** What kind of thing stands there, whatever it says. */
function typeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(typeOf);
  return typeof value === 'object' && value !== null ? Object.keys(value).sort() : value === null ? null : typeof value;
}
