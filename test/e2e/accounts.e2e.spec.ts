import { randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import pg from 'pg';
import { type Answer, Client, closeCode, type SignedIn } from '../support/client.js';
import { runApp, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const PASSWORD = 'correct horse battery';
const SECRET_KEY = 'qK8vX2mR5tY7wB1nZ4cD6fG9hJ3lP0sA';

describe('Accounts', () => {
  let database: TestDatabase;
  let app: RunningApp;
  let other: RunningApp;
  let client: Client;
  let sql: pg.Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    const env = { DATABASE_URL: database.url, SECRET_KEY, RATE_LIMIT: 'off' };
    [app, other] = await Promise.all([runApp(env), runApp(env)]);
    client = new Client(app.url);
    sql = new pg.Client({ connectionString: database.url });
    await sql.connect();
  });

  afterAll(async () => {
    await sql.end();
    await Promise.all([app.stop(), other.stop()]);
    await database.drop();
  });

  const me = (token: string) => client.call('GET', '/users/me', { token });
  const refresh = (refreshToken: string) => client.call<SignedIn>('POST', '/auth/refresh', { body: { refreshToken } });

  describe('refresh tokens', () => {
    it('works once, and its use again ends the whole login with its newest token and its sockets', async () => {
      const ada = await client.register('refresh-once');
      const socket = await client.socket(ada.accessToken);
      const next = await refresh(ada.refreshToken);
      expect(next.status).toBe(200);
      expect(Object.keys(next.body).sort()).toEqual(['accessToken', 'expiresIn', 'refreshToken']);
      expect((await me(next.body.accessToken)).status).toBe(200);

      const closed = closeCode(socket);
      expect((await refresh(ada.refreshToken)).status).toBe(401);
      expect(await closed).toBe(4001);
      expect((await refresh(next.body.refreshToken)).status).toBe(401);
      expect((await me(next.body.accessToken)).status).toBe(401);
    });

    it('lets one of ten who come at once through at most, and ends the login', async () => {
      const ada = await client.register('refresh-race');
      const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(ada.refreshToken)));
      const good = answers.filter(({ status }) => status === 200);
      expect(good).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 401)).toHaveLength(9);
      expect((await refresh(good[0]!.body.refreshToken)).status).toBe(401);
      expect((await me(ada.accessToken)).status).toBe(401);
    });

    it('refuses made-up tokens without ending anything', async () => {
      const ada = await client.register('refresh-made-up');
      for (const token of ['x', 'a.b', 'a.b.c', ada.accessToken, '.', `x${ada.refreshToken}`]) {
        expect((await refresh(token)).status).toBe(401);
      }
      expect((await refresh(ada.refreshToken)).status).toBe(200);
    });
  });

  describe('access tokens', () => {
    const claims = (ada: SignedIn) => jwt.decode(ada.accessToken) as Record<string, string>;

    it('must be signed with the key and the algorithm, unexpired, for us, and an access token', async () => {
      const ada = await client.register('token-forms');
      const { sid } = claims(ada);
      const body = { sid, typ: 'access' };
      const fit = { subject: ada.user.id, audience: 'parley', expiresIn: 60 } as const;
      const bad = {
        none: jwt.sign(body, '', { ...fit, algorithm: 'none' }),
        'another key': jwt.sign(body, `${SECRET_KEY}x`, fit),
        'another algorithm': jwt.sign(body, SECRET_KEY, { ...fit, algorithm: 'HS512' }),
        expired: jwt.sign(body, SECRET_KEY, { ...fit, expiresIn: -1 }),
        'another audience': jwt.sign(body, SECRET_KEY, { ...fit, audience: 'else' }),
        'another type': jwt.sign({ ...body, typ: 'refresh' }, SECRET_KEY, fit),
        'another person': jwt.sign(body, SECRET_KEY, { ...fit, subject: sid! }),
        'a refresh token': ada.refreshToken,
        nothing: '',
      };
      expect((await me(jwt.sign(body, SECRET_KEY, fit))).status).toBe(200);
      for (const [name, token] of Object.entries(bad)) {
        expect([name, (await me(token)).status]).toEqual([name, 401]);
        expect([name, await client.socket(token || undefined)]).toEqual([name, 401]);
      }
    });

    it('ends at once on logout, here and within a second on another node, sockets included', async () => {
      const ada = await client.register('log-out');
      const there = new Client(other.url);
      const sockets = await Promise.all([client.socket(ada.accessToken), there.socket(ada.accessToken)]);
      const codes = Promise.all(sockets.map(closeCode));
      expect((await client.call('POST', '/auth/logout', { token: ada.accessToken })).status).toBe(204);
      expect((await me(ada.accessToken)).status).toBe(401);
      expect((await refresh(ada.refreshToken)).status).toBe(401);
      expect(await codes).toEqual([4001, 4001]);
      expect((await there.call('GET', '/users/me', { token: ada.accessToken })).status).toBe(401);
    });

    it('lists however many logins page by page, newest first', async () => {
      const { accessToken: token } = await client.register('pager');
      for (let i = 0; i < 4; i += 1) await client.login('pager', PASSWORD);
      const pages: boolean[][] = [];
      let cursor = '';
      do {
        const path = `/auth/logins?limit=2${cursor}`;
        const { body } = await client.call<{ items: { current: boolean }[]; nextCursor: string | null }>('GET', path, {
          token,
        });
        pages.push(body.items.map(({ current }) => current));
        cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
      } while (cursor !== '');
      expect(pages).toEqual([[false, false], [false, false], [true]]);
    });

    it('lists logins and ends one of them, and none of somebody else', async () => {
      const ada = await client.register('log-ins');
      const second = (await client.login('LOG-INS', PASSWORD)).body;
      const mallory = await client.register('log-ins-mallory');
      const listed = await client.call<{ items: { id: string; current: boolean; device: string }[] }>(
        'GET',
        '/auth/logins',
        {
          token: ada.accessToken,
        },
      );
      expect(listed.body.items.map(({ current }) => current)).toEqual([false, true]);
      const id = listed.body.items[0]!.id;
      expect((await client.call('DELETE', `/auth/logins/${id}`, { token: mallory.accessToken })).status).toBe(404);
      expect((await client.call('DELETE', `/auth/logins/${id}`, { token: ada.accessToken })).status).toBe(204);
      expect((await client.call('DELETE', `/auth/logins/${id}`, { token: ada.accessToken })).status).toBe(404);
      expect((await me(second.accessToken)).status).toBe(401);
      expect((await me(ada.accessToken)).status).toBe(200);
    });
  });

  describe('registering', () => {
    it('names every wrong field in one answer', async () => {
      const answer = await client.call<{ errors: { path: string }[] }>('POST', '/auth/register', {
        body: {
          username: 'a b',
          email: 'nowhere',
          password: 'short',
          displayName: '',
          isAdmin: true,
          kind: 'bot',
          id: 'x',
        },
      });
      expect(answer.status).toBe(400);
      const paths = new Set(answer.body.errors.map(({ path }) => path));
      expect([...paths].sort()).toEqual(['displayName', 'email', 'id', 'isAdmin', 'kind', 'password', 'username']);
    });

    it('gives nobody the names of the house, in whatever width or case', async () => {
      for (const username of ['everyone', 'Ｅveryone', 'HERE', 'ｈｅｒｅ', 'System', 'deleted-user']) {
        const body = { username, email: `${randomUUID()}@example.org`, password: PASSWORD };
        const answer = await client.call<{ errors: { path: string }[] }>('POST', '/auth/register', { body });
        expect([username, answer.status]).toEqual([username, 400]);
        expect(answer.body.errors).toMatchObject([{ path: 'username' }]);
      }
    });

    it('refuses common passwords and the own name, and asks nothing else of a password', async () => {
      const attempt = (password: string) =>
        client.call('POST', '/auth/register', {
          body: { username: 'weak-password', email: 'weak@example.org', password },
        });
      for (const password of ['password', 'Password1', 'football', 'WEAK-password', 'weak@example.org']) {
        expect([password, (await attempt(password)).status]).toEqual([password, 400]);
      }
      expect((await attempt('aaaaaaaaaaaaaaab')).status).toBe(201);
    });

    it('takes no name or address beside one that looks like it', async () => {
      await client.register('look-alike');
      for (const [username, email] of [
        ['LOOK-alike', 'x1@example.org'],
        ['ｌook-alike', 'x2@example.org'],
        ['another-one', 'LOOK-ALIKE@example.org'],
      ]) {
        const body = { username, email, password: PASSWORD };
        expect((await client.call('POST', '/auth/register', { body })).status).toBe(409);
      }
      const race = await Promise.all(
        Array.from({ length: 10 }, () =>
          client.call('POST', '/auth/register', {
            body: { username: 'raced-for', email: 'raced@example.org', password: PASSWORD },
          }),
        ),
      );
      expect(race.filter(({ status }) => status === 201)).toHaveLength(1);
    });

    it('answers a wrong password, an unknown and a switched-off account alike', async () => {
      await client.register('switched-off');
      await sql.query(`UPDATE users SET disabled_at = now() WHERE username = 'switched-off'`);
      await client.register('wrong-password');
      const answers = await Promise.all([
        client.login('wrong-password', 'something else'),
        client.login('nobody-of-that-name', 'something else'),
        client.login('switched-off', PASSWORD),
      ]);
      const said = answers.map(({ status, body }) => ({ status, ...(body as object), requestId: undefined }));
      expect(said[0]!.status).toBe(401);
      expect(said[1]).toEqual(said[0]);
      expect(said[2]).toEqual(said[0]);
    });
  });

  describe('guests', () => {
    it('claims an account that keeps what it has, once', async () => {
      const guest = await client.call<SignedIn>('POST', '/auth/guest', { body: { displayName: 'Somebody' } });
      expect(guest.status).toBe(201);
      expect(guest.body.user).toMatchObject({ kind: 'guest', email: null, displayName: 'Somebody' });
      const token = guest.body.accessToken;
      const server = await client.call('POST', '/servers', { token, body: { name: 'Mine' } });
      const body = { username: 'claimed', email: 'claimed@example.org', password: PASSWORD };
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          client.call<SignedIn>('POST', '/auth/claim', { token, body: { ...body, username: `claimed${i}` } }),
        ),
      );
      const good = answers.filter(({ status }) => status === 201);
      expect(good).toHaveLength(1);
      expect(good[0]!.body.user).toMatchObject({ id: guest.body.user.id, kind: 'human', displayName: 'Somebody' });
      expect(answers.filter(({ status }) => status === 409)).toHaveLength(9);
      const mine = await client.call<{ items: { id: string }[] }>('GET', '/servers', {
        token: good[0]!.body.accessToken,
      });
      expect(mine.body.items.map(({ id }) => id)).toEqual([server.body.id]);

      const refresh = (refreshToken: string) => client.call('POST', '/auth/refresh', { body: { refreshToken } });
      expect((await refresh(guest.body.refreshToken)).status).toBe(401);
      expect((await refresh(good[0]!.body.refreshToken)).status).toBe(200);
    });
  });

  describe('tickets', () => {
    it('opens one socket of fifty that come with it, on whichever node', async () => {
      const ada = await client.register('ticket-race');
      const { body, status } = await client.call<{ ticket: string; expiresIn: number }>('POST', '/auth/tickets', {
        token: ada.accessToken,
      });
      expect([status, body.expiresIn]).toEqual([201, 30]);
      const clients = [client, new Client(other.url)];
      const sockets = await Promise.all(
        Array.from({ length: 50 }, (_, i) => clients[i % 2]!.socket(undefined, `?ticket=${body.ticket}`)),
      );
      const open = sockets.filter((socket) => typeof socket !== 'number');
      expect(open).toHaveLength(1);
      expect(sockets.filter((socket) => socket === 401)).toHaveLength(49);
      open.forEach((socket) => socket.terminate());
      expect(await client.socket(ada.accessToken, '?ticket=')).toBe(401);
    });

    it('is no good when it is old, or its login has ended', async () => {
      const ada = await client.register('ticket-old');
      const ticket = async () =>
        (await client.call<{ ticket: string }>('POST', '/auth/tickets', { token: ada.accessToken })).body.ticket;
      const old = await ticket();
      await sql.query(`UPDATE tickets SET expires_at = now() - interval '1 second'`);
      expect(await client.socket(undefined, `?ticket=${old}`)).toBe(401);
      const late = await ticket();
      await client.call('POST', '/auth/logout', { token: ada.accessToken });
      expect(await client.socket(undefined, `?ticket=${late}`)).toBe(401);
    });
  });

  describe('passwords', () => {
    const mailed = (to: string): string[] =>
      app
        .output()
        .split('\n')
        .filter((line) => line.startsWith('{') && line.includes(to))
        .map((line) => (JSON.parse(line) as { text?: string }).text ?? '')
        .flatMap((text) => /\n\n([\w-]{43})\n/.exec(text)?.[1] ?? []);

    const mailedToken = async (to: string, count: number): Promise<string> => {
      for (let tokens = mailed(to); ; tokens = mailed(to)) {
        if (tokens.length >= count) return tokens.at(-1)!;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };

    it('asks for the present password and ends all other logins', async () => {
      const ada = await client.register('change-password');
      const second = (await client.login('change-password', PASSWORD)).body;
      const socket = await client.socket(second.accessToken);
      const closed = closeCode(socket);
      const change = (currentPassword: string, newPassword: string) =>
        client.call('POST', '/auth/password', { token: ada.accessToken, body: { currentPassword, newPassword } });
      expect((await change('not this one', 'a new long phrase')).status).toBe(403);
      expect((await change(PASSWORD, 'password1')).status).toBe(400);
      expect((await change(PASSWORD, 'a new long phrase')).status).toBe(204);
      expect(await closed).toBe(4001);
      expect((await me(second.accessToken)).status).toBe(401);
      expect((await me(ada.accessToken)).status).toBe(200);
      expect((await client.login('change-password', PASSWORD)).status).toBe(401);
      expect((await client.login('change-password', 'a new long phrase')).status).toBe(200);
    });

    it('is reset with a mailed token that works once, however many use it, and ends every login', async () => {
      const ada = await client.register('forgetful');
      const forgot = (email: string) => client.call('POST', '/auth/password/forgot', { body: { email } });
      const known = await forgot('FORGETFUL@example.org');
      const unknown = await forgot('no-such-person@example.org');
      expect([known.status, known.body]).toEqual([202, unknown.body]);
      expect(unknown.status).toBe(202);
      const token = await mailedToken('forgetful@example.org', 1);
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          client.call('POST', '/auth/password/reset', { body: { token, newPassword: `a new long phrase ${i}` } }),
        ),
      );
      expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 400)).toHaveLength(9);
      expect((await me(ada.accessToken)).status).toBe(401);
      expect((await client.login('forgetful', PASSWORD)).status).toBe(401);
      expect(app.output()).not.toContain('no-such-person');
    });

    it('voids every older token once the password is set anew, and an expired one', async () => {
      await client.register('forgot-twice');
      const forgot = () =>
        client.call('POST', '/auth/password/forgot', { body: { email: 'forgot-twice@example.org' } });
      const reset = (token: string) =>
        client.call('POST', '/auth/password/reset', { body: { token, newPassword: 'a new long phrase' } });
      await forgot();
      const first = await mailedToken('forgot-twice@example.org', 1);
      await forgot();
      const second = await mailedToken('forgot-twice@example.org', 2);
      expect((await reset(second)).status).toBe(204);
      expect((await reset(first)).status).toBe(400);
      await forgot();
      const third = await mailedToken('forgot-twice@example.org', 3);
      await sql.query(`UPDATE password_resets SET expires_at = now() - interval '1 second'`);
      expect((await reset(third)).status).toBe(400);
    });
  });

  describe('the profile', () => {
    it('changes a name for open sockets too, and an address with the password only', async () => {
      const ada = await client.register('profile');
      const patch = (body: object): Promise<Answer<{ errors?: { path: string }[] }>> =>
        client.call('PATCH', '/users/me', { token: ada.accessToken, body });
      expect((await patch({ displayName: 'Ada L.', avatarUrl: 'https://pictures.example/a.png' })).body).toMatchObject({
        displayName: 'Ada L.',
        avatarUrl: 'https://pictures.example/a.png',
      });
      expect((await patch({ avatarUrl: null })).body).toMatchObject({ avatarUrl: null, displayName: 'Ada L.' });
      expect((await patch({ avatarUrl: 'javascript:alert(1)' })).status).toBe(400);
      expect((await patch({ email: 'new@example.org' })).status).toBe(400);
      expect((await patch({ email: 'new@example.org', currentPassword: 'wrong one' })).status).toBe(403);
      expect((await patch({ email: 'new@example.org', currentPassword: PASSWORD })).status).toBe(200);
      expect((await client.login('new@example.org', PASSWORD)).status).toBe(200);
      const refused = await patch({ isAdmin: true, kind: 'bot', id: 'x', passwordHash: 'x', disabledAt: null });
      expect(refused.status).toBe(400);
      expect(refused.body.errors!.map(({ path }) => path).sort()).toEqual(
        ['disabledAt', 'id', 'isAdmin', 'kind', 'passwordHash'].sort(),
      );
    });

    it('keeps provider keys encrypted and never shows them', async () => {
      const ada = await client.register('keeper');
      const mallory = await client.register('keeper-mallory');
      const token = ada.accessToken;
      const key = 'sk-very-secret-provider-key-1234';
      const added = await client.call<{ id: string }>('POST', '/users/me/credentials', {
        token,
        body: { provider: 'openai', label: 'work', key },
      });
      expect(added.status).toBe(201);
      expect(Object.keys(added.body).sort()).toEqual(['createdAt', 'id', 'label', 'last4', 'provider']);
      const listed = await client.call('GET', '/users/me/credentials', { token });
      expect(JSON.stringify(listed.body)).not.toContain(key);
      const rows = await sql.query(`SELECT * FROM credentials`);
      expect(JSON.stringify(rows.rows)).not.toContain(Buffer.from(key).toString('hex').slice(0, 16));
      const path = `/users/me/credentials/${added.body.id}`;
      expect((await client.call('DELETE', path, { token: mallory.accessToken })).status).toBe(404);
      expect((await client.call('DELETE', path, { token })).status).toBe(204);
    });

    it('shows its owner what happened to the account', async () => {
      const ada = await client.register('trail');
      await client.login('trail', 'something else');
      await client.login('trail', PASSWORD);
      const trail = await client.call<{ items: { kind: string }[] }>('GET', '/users/me/audit', {
        token: ada.accessToken,
      });
      expect(trail.body.items.map(({ kind }) => kind)).toEqual(['signed_in', 'sign_in_failed', 'registered']);
    });
  });
});
