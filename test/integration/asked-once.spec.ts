import { jest } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentsService } from '../../src/agents/agents.service.js';
import { AccessService } from '../../src/access/access.service.js';
import type { Actor } from '../../src/auth/actor.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { Problem } from '../../src/platform/http/problem.js';
import { ReplyStore } from '../../src/sessions/replies/reply-store.js';
import { SessionsService } from '../../src/sessions/sessions.service.js';
import { actor, type Services, startServices } from '../support/services.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { Upstream } from '../support/upstream.js';

describe('a webhook, which may do something, is asked once', () => {
  let database: TestDatabase;
  let services: Services;
  let upstream: Upstream;
  let ada: Actor;
  let session: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    services = await startServices(database.url, { OUTBOUND_ALLOWED_HOSTS: '127.0.0.1' });
    upstream = await Upstream.start();
    ada = await actor(services.dataSource, 'ada');
  }, 60_000);
  beforeEach(async () => {
    const slug = `hook-${performance.now()}`.replace('.', '-');
    const hook = await the(AgentsService).create({ slug, name: 'Hook', kind: 'webhook', url: upstream.url });
    session = (await the(SessionsService).create(ada, { type: 'agent', agentId: hook.id })).session.id;
  });
  afterEach(() => jest.restoreAllMocks());
  afterAll(async () => {
    await services.close();
    await upstream.stop();
    await database.drop();
  });

  const the = <T>(type: new (...args: any[]) => T): T => services.app.get(type);
  const sql = (text: string, values: unknown[] = []): Promise<any[]> => services.dataSource.query(text, values);
  const say = async (content: string) =>
    the(MessagesService).append(await the(AccessService).enter(ada, session, 'write'), { content });
  const reply = async () =>
    (await sql(`SELECT status, error, attempts FROM replies WHERE session_id = $1`, [session]))[0];
  const lapse = () => sql(`UPDATE replies SET leased_until = now() - interval '1 second' WHERE status = 'running'`);

  it('also where its node could not say for a while that it is there', async () => {
    const asked = new Promise<ServerResponse>((resolve) => upstream.does(resolve));
    await say('book it');
    const response = await asked;
    const looked: unknown[] = [];
    const takeOver = the(ReplyStore).takeOver.bind(the(ReplyStore));
    jest.spyOn(the(ReplyStore), 'beat').mockRejectedValue(Problem.unavailable());
    jest.spyOn(the(ReplyStore), 'takeOver').mockImplementation(async (...args) => {
      await lapse();
      const taken = await takeOver(...args);
      looked.push(taken);
      return taken;
    });
    while (looked.length === 0) await sleep(20);
    response.writeHead(200, { 'content-type': 'text/plain' }).end('booked');
    while ((await reply()).status === 'running') await sleep(20);
    expect(await reply()).toEqual({ status: 'done', error: null, attempts: 1 });
    expect(upstream.received).toHaveLength(1);
  }, 20_000);

  it('also where the database is away when it has failed', async () => {
    upstream.says({ error: 'half done' }, 500);
    const end = the(ReplyStore).end.bind(the(ReplyStore));
    let tries = 0;
    jest.spyOn(the(ReplyStore), 'end').mockImplementation((...args) => {
      tries += 1;
      return tries <= 2 ? Promise.reject(Problem.unavailable()) : end(...args);
    });
    await say('book it');
    while (tries < 2) await sleep(20);
    await sleep(100);
    await lapse();
    while ((await reply()).status === 'running') await sleep(20);
    expect(await reply()).toEqual({ status: 'failed', error: 'upstream_failed', attempts: 1 });
    expect(upstream.received).toHaveLength(1);
  }, 20_000);

  it('also where the database has no room for its answer for a while', async () => {
    upstream.says({ reply: 'booked' });
    const append = the(MessagesService).append.bind(the(MessagesService));
    let tries = 0;
    jest.spyOn(the(MessagesService), 'append').mockImplementation((pass, draft) => {
      if (!draft.reply || (tries += 1) > 2) return append(pass, draft);
      return Promise.reject(Object.assign(new Error('could not extend file'), { code: '53100' }));
    });
    await say('book it');
    while ((await reply())?.status !== 'running' || tries < 1) await sleep(20);
    while ((await reply()).status === 'running') await sleep(20);
    expect(await reply()).toEqual({ status: 'done', error: null, attempts: 1 });
    expect(upstream.received).toHaveLength(1);
  }, 20_000);

  it.each([
    ['as its answer began', AccessService, 'enterAsAgent'],
    ['as it looked for whom to ask', AgentsService, 'findEnabled'],
  ] as const)(
    'and is asked at all where the database was away for a moment %s',
    async (_, type, read) => {
      upstream.says({ reply: 'booked' });
      let isAway = true;
      const away = jest.spyOn(the<any>(type), read).mockImplementation(() => {
        isAway = false;
        away.mockRestore();
        return Promise.reject(Problem.unavailable());
      });
      await say('book it');
      while (isAway) await sleep(20);
      await sleep(100);
      await lapse();
      while ((await reply()).status === 'running') await sleep(20);
      expect(await reply()).toEqual({ status: 'done', error: null, attempts: 2 });
      expect(upstream.received).toHaveLength(1);
    },
    20_000,
  );
});
