import { once } from 'node:events';
import { connect } from 'node:net';
import { runApp, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const LOGIN = 'POST /api/v1/auth/login HTTP/1.1\r\nHost: here\r\n';

describe('a node that is told to stop', () => {
  let database: TestDatabase;
  let app: RunningApp;

  beforeAll(async () => {
    database = await createTestDatabase();
  }, 60_000);
  beforeEach(async () => {
    app = await runApp({ DATABASE_URL: database.url, RATE_LIMIT: 'off' });
  }, 60_000);
  afterAll(() => database.drop());

  it.each([
    ['somebody has connected and asks nothing, as browsers do', ''],
    ['a request never comes to its end', `${LOGIN}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{`],
  ])('ends in good order, though %s', async (_, said) => {
    const caller = connect(app.port, '127.0.0.1');
    caller.on('error', () => undefined);
    await once(caller, 'connect');
    caller.write(said);
    // It has been taken by the server by the time that somebody else has an answer.
    await fetch(`${app.url}/health/live`);
    const begun = performance.now();
    expect(await app.stop()).toEqual({ code: 0, signal: null });
    expect(performance.now() - begun).toBeLessThan(10_000);
    caller.destroy();
  });
});
