import { LegacyHouse } from '../support/legacy-commands.js';
import { chatSessions, OPEN_SESAME } from '../support/old-stores.js';
import { call, Person } from '../support/people.js';
import { runApp, type RunningApp } from '../support/run-app.js';

describe('people who came over from an old system', () => {
  let house: LegacyHouse;
  let app: RunningApp;
  let importId: string;

  beforeAll(async () => {
    house = await LegacyHouse.open();
    app = await runApp({ DATABASE_URL: house.database.url, RATE_LIMIT: 'off' });
    const file = chatSessions(
      house.path('old.db'),
      120,
      `INSERT INTO user VALUES (3, 'cy@example.org', NULL, '${OPEN_SESAME.scrypt}', NULL), (4, 'dan', NULL, 'open sesame', NULL);
       INSERT INTO chat_session VALUES (3, 'Third', '2024-01-17', '2024-01-17', 3);
       INSERT INTO chat_message VALUES (900, 'Mine', 1, '2024-01-17', 3), (901, 'Yours', 0, '2024-01-17 00:00:01', 3)`,
    );
    importId = await house.carried('chat-sessions', file);
  }, 90_000);

  afterAll(async () => {
    await app.stop();
    await house.close();
  }, 60_000);

  async function signIn(login: string, password: string): Promise<Person> {
    const { status, body } = await call(app.url, 'POST', '/api/v1/auth/login', { login, password });
    if (status !== 200) throw new Error(`${status}`);
    return new Person(app.url, body.user.username, password, body.user.id, body.accessToken);
  }

  it('sign in with the old password, whatever kept it, and with no other', async () => {
    for (const login of ['ada', 'bob@example.org', 'cy@example.org', 'CY']) {
      await expect(signIn(login, 'wrong sesame')).rejects.toThrow('401');
      expect((await signIn(login, 'open sesame')).id).toMatch(/^[0-9a-f-]{36}$/);
    }
    await expect(signIn('dan', 'open sesame')).rejects.toThrow('401');
    const hashes = await house.rows<{ hash: string | null }>(
      `SELECT password_hash AS hash FROM users ORDER BY username`,
    );
    expect(hashes.map(({ hash }) => hash?.slice(0, 10) ?? null)).toEqual([
      '$argon2id$',
      '$argon2id$',
      '$argon2id$',
      null,
    ]);
  });

  it('find their chats through the new API, read and in order, and nobody else does', async () => {
    const ada = await signIn('ada', 'open sesame');
    const bob = await signIn('bob', 'open sesame');
    const { body } = await ada.get('/sessions');
    expect(body.items).toHaveLength(1);
    const [session] = body.items;
    expect(session).toMatchObject({ title: 'First', externalId: '1', createdAt: '2024-01-15T10:30:00.000Z' });
    expect((await ada.get('/conversations')).body.items[0]).toMatchObject({ id: session.id, unread: 0, lastSeq: 60 });
    const page = (await ada.get(`/conversations/${session.id}/messages?after=0&limit=100`)).body.items;
    expect(page.map((message: { seq: number }) => message.seq)).toEqual(Array.from({ length: 60 }, (_, at) => at + 1));
    expect(page[0]).toMatchObject({ content: 'message 2', role: 'agent', createdAt: '2024-01-15T10:30:02.000Z' });
    expect((await bob.get(`/conversations/${session.id}/messages`)).status).toBe(404);
  });

  it('find them through the old API by the old ids', async () => {
    const cy = await signIn('cy@example.org', 'open sesame');
    const old = (path: string) =>
      call(app.url, 'GET', path, undefined, { headers: { authorization: `Bearer ${cy.token}` } });
    expect((await old('/chat_sessions')).body).toMatchObject([{ title: 'Third' }]);
    expect((await old('/chat_sessions/3/messages')).body).toMatchObject([
      { content: 'Mine', is_user_message: true },
      { content: 'Yours', is_user_message: false },
    ]);
    expect((await old('/chat_sessions/1/messages')).status).toBe(403);
  });

  it('write on where they stopped, and then the import stays', async () => {
    const cy = await signIn('cy@example.org', 'open sesame');
    const { body } = await cy.get('/sessions');
    expect(await cy.say(body.items[0].id, 'And on')).toMatchObject({ seq: 3, role: 'user' });
    const refused = await house.legacy('revert', importId);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/conversation 3: 1 change\(s\), message \S+ by cy of/);
    expect((await cy.get(`/conversations/${body.items[0].id}/messages`)).body.items).toHaveLength(3);
  });
});
