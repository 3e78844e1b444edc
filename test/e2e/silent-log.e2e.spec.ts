import net from 'node:net';
import pg from 'pg';
import { call } from '../support/people.js';
import { runApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { until } from '../support/until.js';

describe('what is logged of an error', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  }, 60_000);

  afterAll(() => database.drop(), 60_000);

  it('is not what a failed statement was given: texts, addresses, hashes', async () => {
    const app = await runApp({ DATABASE_URL: database.url, RATE_LIMIT: 'off' });
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query('BEGIN');
    await other.query(
      `INSERT INTO users (id, username, username_key, display_name) VALUES (gen_random_uuid(), 'bob', 'bob', 'Bob')`,
    );
    const bob = { username: 'bob', email: 'bob@nowhere.example', password: 'correct horse battery' };
    const registered = call(app.url, 'POST', '/api/v1/auth/register', bob);
    const waiting = `FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await until(async () => (await other.query(`SELECT pg_terminate_backend(pid) ${waiting}`)).rows.length > 0);
    expect((await registered).status).toBe(503);
    await other.end();
    await app.stop();
    expect(app.output()).toMatch(/"code":"57P01".*request failed/);
    expect(app.output()).not.toMatch(/nowhere\.example|argon2/);
  }, 60_000);

  it('is not the password that Redis refuses', async () => {
    const redis = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => socket.write('-WRONGPASS invalid username-password pair or user is disabled.\r\n'));
    });
    await new Promise<void>((resolve) => redis.listen(0, '127.0.0.1', resolve));
    const { port } = redis.address() as net.AddressInfo;
    const REDIS_URL = `redis://:hunter-two@127.0.0.1:${port}`;
    const app = await runApp({ DATABASE_URL: database.url, REDIS_URL });
    await until(() => Promise.resolve(app.output().includes('WRONGPASS')));
    await app.stop();
    redis.close();
    expect(app.output()).not.toContain('hunter-two');
  }, 60_000);
});
