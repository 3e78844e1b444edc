import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { administrator, type Person, person, serverOf, type Socket } from '../support/people.js';
import { runApp, type RunningApp } from '../support/run-app.js';
import { until } from '../support/until.js';

const SECRET_KEY = 'k9Jw2LqZ8vXr4TnB7mYcP3sHdF6gA1eU0oRiW5';
const soon = () => new Date(Date.now() + 3_600_000).toISOString();

describe('notifications', () => {
  let database: TestDatabase;
  let app: RunningApp;
  let ada: Person;
  let bob: Person;
  let serverId: string;
  let room: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    const env = { DATABASE_URL: database.url, SECRET_KEY, RATE_LIMIT: 'off' };
    app = await runApp(env);
    [ada, bob] = await Promise.all([person(app.url, 'ada'), person(app.url, 'bob')]);
    ({ id: serverId, general: room } = await serverOf(ada, bob));
    const root = await administrator(app.url, env);
    await root.patch(`/admin/users/${bob.id}`, { isAdvocate: true });
  }, 60_000);

  afterAll(async () => {
    await app.stop();
    await database.drop();
  }, 60_000);

  const of = (path: string) => `${path}/notifications`;
  const inherited = (level: string) => ({ level, mutedUntil: null, inherited: true });

  it('are chosen for a server and a conversation, in a thread as in its channel', async () => {
    const { id, general } = await serverOf(ada, bob);
    const { id: messageId } = await ada.say(general, 'a beginning');
    const thread = (await ada.post(`/conversations/${general}/messages/${messageId}/thread`)).body.id as string;
    const seen = async () =>
      Promise.all(
        [of(`/servers/${id}`), of(`/conversations/${general}`), of(`/conversations/${thread}`)].map(
          async (path) => (await bob.get(path)).body,
        ),
      );
    const shown = async () => {
      const items = (await bob.get('/conversations?limit=100')).body.items.filter((item: any) => item.id === general);
      const one = await Promise.all(
        [general, thread].map(async (room) => (await bob.get(`/conversations/${room}`)).body),
      );
      return [...items, ...one].map(({ notifications }) => notifications);
    };
    expect(await seen()).toEqual(Array(3).fill(inherited('mentions')));
    const mutedUntil = soon();
    const answer = await bob.put(of(`/servers/${id}`), { level: 'all', mutedUntil });
    expect([answer.status, answer.body]).toEqual([200, { level: 'all', mutedUntil, inherited: false }]);
    await bob.put(of(`/conversations/${general}`), { level: 'none' });
    expect(await seen()).toEqual([
      { level: 'all', mutedUntil, inherited: false },
      { level: 'none', mutedUntil: null, inherited: false },
      inherited('none'),
    ]);
    const [, ofRoom, ofThread] = await seen();
    expect(await shown()).toEqual([ofRoom, ofRoom, ofThread]);
    expect((await bob.delete(of(`/conversations/${general}`))).status).toBe(204);
    expect((await seen()).slice(1)).toEqual(Array(2).fill({ level: 'all', mutedUntil, inherited: true }));
    expect(await shown()).toEqual(Array(3).fill({ level: 'all', mutedUntil, inherited: true }));
    expect((await ada.get(of(`/servers/${id}`))).body).toEqual(inherited('mentions'));
    await bob.delete(`/servers/${id}/members/${bob.id}`);
    expect((await bob.put(of(`/servers/${id}`), { level: 'all' })).status).toBe(404);
    await ada.post(`/servers/${id}/members`, { userId: bob.id });
    expect((await bob.get(of(`/servers/${id}`))).body).toEqual(inherited('mentions'));
  });

  it('are refused to strangers, and where they say nothing that can be done', async () => {
    const eve = await person(app.url, 'eve');
    for (const path of [of(`/servers/${serverId}`), of(`/conversations/${room}`)]) {
      expect([(await eve.get(path)).status, (await eve.put(path, { level: 'all' })).status]).toEqual([404, 404]);
      const bodies = [{}, { level: 'some' }, { level: null }, { level: 'all', mutedUntil: 'tomorrow' }];
      for (const body of [...bodies, { level: 'all', mutedUntil: '2026-06-30T23:59:60Z' }, { level: 'all', more: 1 }]) {
        expect([body, (await bob.put(path, body)).body.code]).toEqual([body, 'validation_failed']);
      }
    }
    expect((await eve.delete(of(`/conversations/${room}`))).status).toBe(404);
  });

  describe('come', () => {
    let his: Socket;
    let hers: Socket;

    beforeAll(async () => {
      [his, hers] = await Promise.all([bob.socket(), ada.socket()]);
    });

    afterAll(() => {
      his.close();
      hers.close();
    });

    /** What bob has been notified of in the room, once he was of its last message. */
    const untilNotified = async ({ id, conversationId }: { id: string; conversationId: string }) => {
      await his.next((frame) => frame.type === 'notification' && frame.messageId === id);
      return his.of('notification').filter((frame) => frame.conversationId === conversationId);
    };

    it('to who is named, unless they want none or are muted', async () => {
      const { id, general } = await serverOf(ada, bob);
      await ada.say(general, 'to nobody');
      const first = await ada.say(general, `@${bob.name} and @${ada.name}, look`);
      expect(await untilNotified(first)).toEqual([
        {
          type: 'notification',
          reason: 'mention',
          conversationId: general,
          serverId: id,
          messageId: first.id,
          seq: 2,
        },
      ]);
      const quiet: [string, object][] = [
        [`/conversations/${general}`, { level: 'none' }],
        [`/conversations/${general}`, { level: 'mentions', mutedUntil: soon() }],
        [`/servers/${id}`, { level: 'none' }],
        [`/servers/${id}`, { level: 'all', mutedUntil: soon() }],
      ];
      for (const [path, body] of quiet) {
        await bob.delete(of(`/conversations/${general}`));
        await bob.put(of(path), body);
        await ada.say(general, `@${bob.name}, not now`);
        // Looked at later, so that nothing of before is still to come.
        await untilNotified(await ada.say(room, `@${bob.name}`));
      }
      await bob.put(of(`/conversations/${general}`), { level: 'mentions' });
      await bob.put(of(`/servers/${id}`), { level: 'none', mutedUntil: new Date(Date.now() - 1_000).toISOString() });
      const last = await ada.say(general, `@${bob.name}, once more`);
      expect((await untilNotified(last)).map(({ seq }) => seq)).toEqual([2, 7]);
      expect(hers.of('notification')).toEqual([]);
    });

    it('to the other side of a session with every message', async () => {
      const { id } = (await ada.post('/sessions', { type: 'peer', advocateId: bob.id })).body;
      const first = await ada.say(id, 'help');
      expect(await untilNotified(first)).toMatchObject([{ reason: 'message', serverId: null, seq: 1 }]);
      const answer = await bob.say(id, 'with what?');
      await hers.next((frame) => frame.type === 'notification' && frame.messageId === answer.id);
      await bob.put(of(`/conversations/${id}`), { level: 'mentions' });
      await ada.say(id, 'with this');
      const named = await ada.say(id, `with this, @${bob.name}`);
      expect((await untilNotified(named)).map(({ reason, seq }) => [reason, seq])).toEqual([
        ['message', 1],
        ['mention', 4],
      ]);
    });

    it('to nobody who has lost the server since it was said', async () => {
      const { id, general } = await serverOf(ada, bob);
      const sql = new pg.Client(database.url);
      await sql.connect();
      const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      try {
        await sql.query('BEGIN');
        await sql.query('LOCK TABLE conversation_notifications');
        await ada.say(general, `@${bob.name}, farewell`);
        await until(async () => (await sql.query(waiting)).rowCount !== 0);
        expect((await ada.delete(`/servers/${id}/members/${bob.id}`)).status).toBe(204);
      } finally {
        await sql.query('COMMIT');
        await sql.end();
      }
      await untilNotified(await ada.say(room, `@${bob.name}`));
      expect(his.of('notification').map(({ conversationId }) => conversationId)).not.toContain(general);
    });
  });
});
