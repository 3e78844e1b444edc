import { jest } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { AccountAudit } from '../../src/auth/audit/account-audit.service.js';
import type { Actor } from '../../src/auth/actor.js';
import { Database } from '../../src/platform/database/database.js';
import { rowsRead } from '../support/rows-read.js';
import { actor, type Services, servicesOnOwnDatabase } from '../support/services.js';

const MANY = 40_000;

/** Somebody to whom much happened long ago, among others to whom much happened since. */
describe('what happened to an account', () => {
  let services: Services;
  let ada: Actor;

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
    ada = await actor(services.dataSource, 'ada');
    const bob = await actor(services.dataSource, 'bob');
    const start = Date.now() - MANY;
    await services.dataSource.query(
      `INSERT INTO account_events (id, user_id, kind)
       SELECT id, CASE WHEN nth <= ${MANY / 2} THEN $2::uuid ELSE $3 END, 'sign_in_failed'
       FROM unnest($1::uuid[]) WITH ORDINALITY AS event (id, nth)`,
      [Array.from({ length: MANY }, (_, i) => uuidv7({ msecs: start + i })), ada.userId, bob.userId],
    );
    await services.dataSource.query(`ANALYZE`);
  }, 120_000);
  afterAll(() => services.close());

  it('is read without what happened to others since, page by page', async () => {
    const query = jest.spyOn(services.app.get(Database), 'query');
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < 3; page += 1) {
      query.mockClear();
      const { items, nextCursor } = await services.app
        .get(AccountAudit)
        .list(ada.userId, { limit: 50, ...(cursor && { cursor }) });
      seen.push(...items.map(({ id }) => id));
      cursor = nextCursor ?? undefined;
      const [read] = query.mock.calls;
      expect(await rowsRead(services.dataSource, 'account_events', ...(read as [string, unknown[]]))).toBeLessThan(100);
    }
    const newest = await services.dataSource.query(
      `SELECT id FROM account_events WHERE user_id = $1 ORDER BY id DESC LIMIT 150`,
      [ada.userId],
    );
    expect(seen).toEqual(newest.map(({ id }: { id: string }) => id));
  });
});
