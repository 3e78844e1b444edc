import { jest } from '@jest/globals';
import type { Actor } from '../../src/auth/actor.js';
import { Database } from '../../src/platform/database/database.js';
import type { SessionView } from '../../src/sessions/session.presenter.js';
import { SessionList } from '../../src/sessions/session-list.js';
import type { SessionsQuery } from '../../src/sessions/sessions.dto.js';
import { rowsRead } from '../support/rows-read.js';
import { actor, type Services, servicesOnOwnDatabase } from '../support/services.js';

const ECHO = '01990000-0000-7000-8000-000000000001';
const RARE = '01990000-0000-7000-8000-000000000002';
const MANY = 100_000;

/** One person with 100,000 sessions: a third closed, every tenth with a person, every thousandth with a rare agent. */
describe('the list of sessions', () => {
  let services: Services;
  let ada: Actor;
  let bob: Actor;

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
    ada = await actor(services.dataSource, 'ada');
    bob = await actor(services.dataSource, 'bob');
    const { dataSource } = services;
    await dataSource.query(`INSERT INTO agents (id, slug, name, kind) VALUES ($1, 'rare', 'Rare', 'echo')`, [RARE]);
    await dataSource.query(
      `WITH made AS (
         INSERT INTO conversations (id, kind)
         SELECT gen_random_uuid(), 'session' FROM generate_series(1, ${MANY}) RETURNING id
       )
       INSERT INTO sessions (id, owner_id, type, status, agent_id, advocate_id, active_at)
       SELECT id, $1, CASE WHEN nth % 10 = 0 THEN 'peer' ELSE 'agent' END,
         CASE WHEN nth % 3 = 0 THEN 'closed' ELSE 'open' END,
         CASE WHEN nth % 10 = 0 THEN NULL WHEN nth % 1000 = 1 THEN $3::uuid ELSE $4::uuid END,
         CASE WHEN nth % 10 = 0 THEN $2::uuid END,
         date_trunc('milliseconds', now()) - nth / 3 * interval '1 second'
       FROM (SELECT id, row_number() OVER () AS nth FROM made) numbered`,
      [ada.userId, bob.userId, RARE, ECHO],
    );
    await dataSource.query(`ANALYZE sessions`);
    await dataSource.query(`ANALYZE conversations`);
  }, 120_000);
  afterAll(() => services.close());

  const list = (who: Actor, query: Partial<SessionsQuery> = {}) =>
    services.app.get(SessionList).of(who, { limit: 50, ...query });
  const expected = (who: Actor, condition: string, limit: number): Promise<{ id: string }[]> =>
    services.dataSource.query(
      `SELECT id FROM sessions WHERE (owner_id = $1 OR advocate_id = $1) AND ${condition}
       ORDER BY active_at DESC, id DESC LIMIT ${limit}`,
      [who.userId],
    );
  const ids = (rows: { id: string }[]) => rows.map(({ id }) => id);

  it.each<[string, Partial<SessionsQuery>, string]>([
    ['everything', {}, 'true'],
    ['agent sessions', { type: 'agent' }, `type = 'agent'`],
    ['closed ones', { status: 'closed' }, `status = 'closed'`],
    ['closed peer sessions', { type: 'peer', status: 'closed' }, `type = 'peer' AND status = 'closed'`],
    ['those of a rare agent', { agentId: RARE }, `agent_id = '${RARE}'`],
    ['closed ones of it', { agentId: RARE, status: 'closed' }, `agent_id = '${RARE}' AND status = 'closed'`],
    ['none', { agentId: RARE, type: 'peer' }, 'false'],
  ])('gives %s, latest activity first, page after page, to owner and advocate', async (_, query, condition) => {
    for (const who of [ada, bob]) {
      const items: SessionView[] = [];
      let cursor: string | undefined;
      for (let pages = 0; pages < 5; pages += 1) {
        const page = await list(who, { ...query, limit: 30, ...(cursor && { cursor }) });
        items.push(...page.items);
        if (page.nextCursor === null) break;
        cursor = page.nextCursor;
      }
      expect(ids(items)).toEqual(ids(await expected(who, condition, 150)));
    }
  });

  it.each<[string, Partial<SessionsQuery>]>([
    ['agent sessions of an advocate', { type: 'agent' }],
    ['those of an agent that an advocate helps in', { agentId: ECHO }],
    ['peer sessions of an agent', { agentId: ECHO, type: 'peer' }],
  ])('reads a few rows where there is nothing to be found: %s', async (_, query) => {
    const prepared = jest.spyOn(services.app.get(Database), 'prepared');
    for (const who of [ada, bob]) {
      prepared.mockClear();
      await list(who, query);
      const [read] = prepared.mock.calls.filter(([text, values]) => /sessions/.test(text) && values[0] === who.userId);
      expect(await rowsRead(services.dataSource, 'sessions', ...(read as [string, unknown[]]))).toBeLessThan(1_000);
    }
  });

  it('reads a few rows for each page, wherever it lies and whatever it is of', async () => {
    const [middle] = await services.dataSource.query(
      `SELECT active_at AS at, id FROM sessions WHERE owner_id = $1 ORDER BY active_at, id OFFSET ${MANY / 2} LIMIT 1`,
      [ada.userId],
    );
    const cursor = Buffer.from(JSON.stringify([middle.at.toISOString(), middle.id])).toString('base64url');
    const queries: Partial<SessionsQuery>[] = [
      {},
      { status: 'closed' },
      { agentId: RARE },
      { type: 'peer' },
      { cursor },
    ];
    const prepared = jest.spyOn(services.app.get(Database), 'prepared');
    for (const query of queries) {
      prepared.mockClear();
      expect((await list(ada, query)).items).toHaveLength(50);
      // The node's own work goes on beside it.
      const reads = prepared.mock.calls.filter(([text, values]) => /sessions/.test(text) && values[0] === ada.userId);
      expect(reads).toHaveLength(1);
      expect(await rowsRead(services.dataSource, 'sessions', ...(reads[0] as [string, unknown[]]))).toBeLessThan(1_000);
    }
    expect(
      await rowsRead(services.dataSource, 'sessions', `SELECT id FROM sessions ORDER BY created_at LIMIT 50`, []),
    ).toBe(MANY);
  });
});
