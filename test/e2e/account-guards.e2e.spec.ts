import { Secret, TOTP } from 'otpauth';
import pg from 'pg';
import { type Answer, Client, closeCode, type SignedIn } from '../support/client.js';
import { runApp, runCommand, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const PASSWORD = 'correct horse battery';
const LEGACY_PASSWORD = 'tr0ub4dor and friends';

/** Of LEGACY_PASSWORD: made with crypt(3), bcrypt and Python's hashlib in the forms that Werkzeug writes. */
const LEGACY_HASHES = {
  'bcrypt-2b': '$2b$05$abcdefghijklmnopqrstuuiTXHX1lJfaEzxrFIn1l2U.trGN1GMy6',
  'bcrypt-2a': '$2a$05$sVDwPun6pVk.XNf99c9EoOFmOqHV3PbYJ9u7eSbS5BoaHRvcW2Gne',
  'werkzeug-pbkdf2':
    'pbkdf2:sha256:1000$aZ3kP0sQ1wE8rT5y$074f3992b1d32fd397fa7bf0b51fe79ce7fa5378288eaeb0782fa06079cbe122',
  'werkzeug-scrypt':
    'scrypt:32768:8:1$aZ3kP0sQ1wE8rT5y$7de0493321a26e8360305fab85be2d597fc4883d8922de34f55b5a5cd11adef84a102ff6d1aaca7ca16884a569670b8ec289cd264a8a3f2f4657409d08a2137e',
};

describe('What guards an account', () => {
  let database: TestDatabase;
  let app: RunningApp;
  let other: RunningApp;
  let client: Client;
  let there: Client;
  let sql: pg.Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    const env = { DATABASE_URL: database.url, SECRET_KEY: 'qK8vX2mR5tY7wB1nZ4cD6fG9hJ3lP0sA', TRUST_PROXY: '1' };
    const ENCRYPTION_KEY = 'Zq7Lm2Xw9Rt4Yb6Nc1Vd8Kf3Hg5Js0Pa';
    [app, other] = await Promise.all([runApp({ ...env, ENCRYPTION_KEY }), runApp({ ...env, ENCRYPTION_KEY })]);
    client = new Client(app.url);
    there = new Client(other.url);
    sql = new pg.Client({ connectionString: database.url });
    await sql.connect();
  });

  afterAll(async () => {
    await sql.end();
    await Promise.all([app.stop(), other.stop()]);
    await database.drop();
  });

  const from = (address: string) => ({ 'X-Forwarded-For': address });
  const guess = (at: Client, login: string, password: string, address: string) =>
    at.call<SignedIn>('POST', '/auth/login', { body: { login, password }, headers: from(address) });

  describe('limits', () => {
    it('holds guesses at one account off, over addresses, nodes, letter case and both its names', async () => {
      await client.register('guessed-at');
      const spellings = ['guessed-at', 'GUESSED-AT', 'guessed-at@example.org', 'Guessed-At@EXAMPLE.org'];
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          guess(i % 2 ? client : there, spellings[i % 4]!, 'not this one', `198.51.100.${i}`),
        ),
      );
      expect(answers.filter(({ status }) => status === 401)).toHaveLength(10);
      const refused = answers.filter(({ status }) => status === 429);
      expect(refused).toHaveLength(30);
      expect(refused[0]!.body).toMatchObject({ code: 'rate_limited' });
      expect(Number(refused[0]!.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(refused[0]!.headers.get('ratelimit-limit')).toBe('10');
      expect(refused[0]!.headers.get('ratelimit-remaining')).toBe('0');
      expect((await guess(client, 'guessed-at', PASSWORD, '203.0.113.9')).status).toBe(429);
    });

    it('holds guesses from one address off, over many accounts', async () => {
      const answers = await Promise.all(
        Array.from({ length: 110 }, (_, i) => guess(i % 2 ? client : there, `nobody-${i}`, 'x', '192.0.2.55')),
      );
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(10);
      expect((await guess(client, 'nobody-else', 'x', '192.0.2.56')).status).toBe(401);
    });

    it('takes nobody a try who signs in rightly', async () => {
      await client.register('regular');
      for (let i = 0; i < 15; i += 1) {
        expect((await guess(client, 'regular', PASSWORD, '192.0.2.77')).status).toBe(200);
      }
    });

    it('believes one proxy and not what was claimed before it', async () => {
      const spoofed = (i: number) => guess(client, `spoof-${i}`, 'x', `10.0.0.${i}, 192.0.2.99`);
      const answers = await Promise.all(Array.from({ length: 110 }, (_, i) => spoofed(i)));
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(10);
    });

    it('sends few mails to one address, and few for one caller', async () => {
      const forgot = (email: string, address: string) =>
        client.call('POST', '/auth/password/forgot', { body: { email }, headers: from(address) });
      const toOne = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          forgot(i % 2 ? 'mailed@example.org' : 'MAILED@example.org', `192.0.3.${i}`),
        ),
      );
      expect(toOne.filter(({ status }) => status === 429)).toHaveLength(3);
      const byOne = await Promise.all(Array.from({ length: 60 }, (_, i) => forgot(`m${i}@example.org`, '192.0.4.1')));
      expect(byOne.filter(({ status }) => status === 429)).toHaveLength(10);
    });

    it('holds guesses of the present password off that come with a stolen token', async () => {
      const ada = await client.register('token-stolen');
      const tries = await Promise.all(
        Array.from({ length: 15 }, () =>
          client.call('POST', '/auth/password', {
            token: ada.accessToken,
            body: { currentPassword: 'a guess', newPassword: 'a new long phrase' },
          }),
        ),
      );
      expect(tries.filter(({ status }) => status === 403)).toHaveLength(10);
      expect(tries.filter(({ status }) => status === 429)).toHaveLength(5);
    });

    it('tells on every answer how much is left', async () => {
      const { headers } = await client.call('GET', '/users/me');
      expect(Number(headers.get('ratelimit-limit'))).toBeGreaterThan(0);
      expect(Number(headers.get('ratelimit-remaining'))).toBeGreaterThan(0);
    });
  });

  describe('hashes of the old systems', () => {
    it.each(Object.entries(LEGACY_HASHES))('%s signs in and becomes argon2id', async (name, stored) => {
      await client.register(name);
      await sql.query(`UPDATE users SET password_hash = $2 WHERE username = $1`, [name, stored]);
      expect((await client.login(name, 'something else')).status).toBe(401);
      expect((await client.login(name, LEGACY_PASSWORD)).status).toBe(200);
      const { rows } = await sql.query<{ password_hash: string }>(
        `SELECT password_hash FROM users WHERE username = $1`,
        [name],
      );
      expect(rows[0]!.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      expect((await client.login(name, LEGACY_PASSWORD)).status).toBe(200);
      expect((await client.login(name, stored)).status).not.toBe(200);
    });
  });

  describe('the second factor', () => {
    const setUp = async (name: string) => {
      const ada = await client.register(name);
      const token = ada.accessToken;
      const call = (method: string, path: string, body: object): Promise<Answer<{ secret: string }>> =>
        client.call(method, path, { token, body });
      const begun = await call('POST', '/auth/second-factor', { currentPassword: PASSWORD });
      const totp = new TOTP({ secret: Secret.fromBase32(begun.body.secret) });
      const now = Date.now();
      // Two codes that are good now, also where the time step changes meanwhile: one code counts once.
      const codes = [0, 30_000].map((shift) => totp.generate({ timestamp: now + shift }));
      return { token, codes, totp, call };
    };

    it('is demanded once confirmed, takes each code once, and recovery codes once', async () => {
      const { codes, call, token } = await setUp('two-factors');
      expect((await client.login('two-factors', PASSWORD)).status).toBe(200);
      expect((await call('POST', '/auth/second-factor', { currentPassword: 'wrong' })).status).toBe(403);
      const confirmed = await client.call<{ recoveryCodes: string[] }>('POST', '/auth/second-factor/confirm', {
        token,
        body: { code: codes[0] },
      });
      expect(confirmed.status).toBe(200);
      expect(new Set(confirmed.body.recoveryCodes).size).toBe(10);

      expect((await client.login('two-factors', PASSWORD)).body).toMatchObject({ code: 'second_factor_required' });
      expect((await client.login('two-factors', 'wrong one', { code: codes[1] })).body).toMatchObject({
        code: 'unauthorized',
      });
      expect((await client.login('two-factors', PASSWORD, { code: codes[0] })).status).toBe(401);
      const race = await Promise.all(
        Array.from({ length: 5 }, () => client.login('two-factors', PASSWORD, { code: codes[1]! })),
      );
      expect(race.filter(({ status }) => status === 200)).toHaveLength(1);

      const [first] = confirmed.body.recoveryCodes;
      const recovering = await Promise.all([1, 2].map(() => there.login('two-factors', PASSWORD, { code: first! })));
      expect(recovering.map(({ status }) => status).sort()).toEqual([200, 401]);
      const stored = await sql.query(`SELECT * FROM second_factors`);
      expect(JSON.stringify(stored.rows)).not.toContain(first);
    });

    it('is guessed at ten times and no more, on whichever node', async () => {
      const { codes, call } = await setUp('factor-guessed');
      await call('POST', '/auth/second-factor/confirm', { code: codes[0] });
      const tries = await Promise.all(
        Array.from({ length: 9 }, (_, i) =>
          (i % 2 ? client : there).login('factor-guessed', PASSWORD, { code: `00000${i}` }),
        ),
      );
      expect(tries.every(({ status }) => status === 401)).toBe(true);
      const more = await Promise.all(
        Array.from({ length: 3 }, (_, i) => client.login('factor-guessed', PASSWORD, { code: `11111${i}` })),
      );
      expect(more.some(({ status }) => status === 429)).toBe(true);
    });

    it('stays on while administrators demand it, and comes off by command for who has lost it', async () => {
      const { codes, call, token } = await setUp('factor-off');
      await call('POST', '/auth/second-factor/confirm', { code: codes[0] });
      const demand = (on: boolean) =>
        sql.query(`UPDATE users SET second_factor_required = $1 WHERE username = 'factor-off'`, [on]);
      await demand(true);
      expect((await client.call('GET', '/users/me', { token })).status).toBe(200);
      const off = (currentPassword: string) => call('DELETE', '/auth/second-factor', { currentPassword });
      expect((await off(PASSWORD)).status).toBe(403);
      await demand(false);
      const removed = await runCommand(
        ['dist/src/operations/cli/admin.js', 'user:remove-second-factor', 'FACTOR-off'],
        {
          DATABASE_URL: database.url,
        },
      );
      expect(removed).toMatchObject({ code: 0 });
      expect((await client.call('GET', '/users/me', { token })).status).toBe(401);
      const again = await client.login('factor-off', PASSWORD);
      expect(again.status).toBe(200);
    });

    it('comes off with the password', async () => {
      const { codes, call } = await setUp('factor-off-too');
      await call('POST', '/auth/second-factor/confirm', { code: codes[0] });
      const off = (currentPassword: string) => call('DELETE', '/auth/second-factor', { currentPassword });
      expect((await off('wrong one')).status).toBe(403);
      expect((await off(PASSWORD)).status).toBe(204);
      expect((await client.login('factor-off-too', PASSWORD)).status).toBe(200);
    });

    it('leaves somebody of whom it is demanded nothing to do but set it up, sockets included', async () => {
      await client.register('chief');
      await sql.query(`UPDATE users SET is_admin = true WHERE username = 'chief'`);
      const chief = (await client.login('chief', PASSWORD)).body.accessToken;
      const { call, codes, token } = await setUp('demanded');
      const { rows } = await sql.query<{ id: string }>(`SELECT id FROM users WHERE username = 'demanded'`);
      const socket = closeCode(await client.socket(token));
      const answer = await client.call('PATCH', `/admin/users/${rows[0]!.id}`, {
        token: chief,
        body: { secondFactorRequired: true },
      });
      expect(answer.body).toMatchObject({ secondFactorRequired: true });
      expect(await socket).toBe(4001);
      expect((await client.call('GET', '/users/me', { token })).body).toMatchObject({ code: 'second_factor_needed' });
      expect(await client.socket(token)).toBe(403);
      expect((await call('POST', '/auth/second-factor/confirm', { code: codes[0] })).status).toBe(200);
      expect((await client.call('GET', '/users/me', { token })).status).toBe(200);
    });
  });

  describe('a storm of sign-ins', () => {
    it('is answered or refused, and lets a message through meanwhile', async () => {
      const ada = await client.register('calm');
      const server = await client.call<{ channels: { id: string }[] }>('POST', '/servers', {
        token: ada.accessToken,
        body: { name: 'Calm' },
      });
      const storm = Array.from({ length: 300 }, (_, i) => guess(client, `storm-${i}`, 'x', `100.64.${i}.1`));
      const sent = await client.call('POST', `/conversations/${server.body.channels[0]!.id}/messages`, {
        token: ada.accessToken,
        body: { content: 'in the storm' },
      });
      expect(sent.status).toBe(201);
      const answers = await Promise.all(storm);
      expect([...new Set(answers.map(({ status }) => status))].every((status) => [401, 503].includes(status))).toBe(
        true,
      );
      expect(answers.some(({ status }) => status === 503)).toBe(true);
    });
  });

  it('never writes a password, a token or a ticket to the log', async () => {
    const ada = await client.register('unlogged', 'never in any log at all');
    await client.call('GET', `/users/me?token=${ada.accessToken}`, { token: ada.accessToken });
    await client.socket(undefined, '?ticket=tickets-are-not-logged');
    await fetch(`${app.url}/chat/ws?token=${ada.accessToken}`);
    await client.login('unlogged', 'a wrong one not in any log');
    for (const secret of ['in any log', ada.accessToken, ada.refreshToken, 'tickets-are-not-logged']) {
      expect(app.output().includes(secret)).toBe(false);
    }
  });

  it('refuses to boot in production, naming each weak or missing secret and the missing mail', async () => {
    const boot = (env: Record<string, string>) =>
      runCommand(['dist/src/main.js'], { NODE_ENV: 'production', DATABASE_URL: database.url, ...env });
    const missing = await boot({});
    expect(missing.code).toBe(1);
    for (const name of ['SECRET_KEY', 'ENCRYPTION_KEY', 'SMTP_URL']) expect(missing.stderr).toContain(name);
    const strong = 'Rk5Vw8Zn2Bq7Xc4Mt9Ly3Hd6Jf1Gs0Pu';
    const weak = await boot({
      SECRET_KEY: 'change-me-change-me-change-me-change-me',
      ENCRYPTION_KEY: `${strong},short`,
      SMTP_URL: 'http://mail.example',
    });
    expect(weak.code).toBe(1);
    for (const name of ['SECRET_KEY', 'ENCRYPTION_KEY', 'SMTP_URL']) expect(weak.stderr).toContain(name);
    expect(weak.stderr).not.toContain(strong);
  });
});
