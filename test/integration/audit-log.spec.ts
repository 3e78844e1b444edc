import { jest } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../../src/auth/actor.js';
import { Database } from '../../src/platform/database/database.js';
import { AuditLogController } from '../../src/servers/audit/audit-log.controller.js';
import { ServersService } from '../../src/servers/servers/servers.service.js';
import { rowsRead } from '../support/rows-read.js';
import { actor, type Services, servicesOnOwnDatabase } from '../support/services.js';

const MANY = 10_000;

/** Two servers where much was done at the same time; since then only in one of them. */
describe('the audit log of a server', () => {
  let services: Services;
  let ada: Actor;
  let quiet: string;

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
    ada = await actor(services.dataSource, 'ada');
    const server = () => services.app.get(ServersService).create(ada, 'A server', undefined);
    quiet = (await server()).id;
    const { id: busy } = await server();
    const start = Date.now() - 3 * MANY;
    await services.dataSource.query(
      `INSERT INTO audit_log (id, server_id, actor_id, action)
       SELECT id, CASE WHEN nth <= ${2 * MANY} AND nth % 4 > 0 THEN $2::uuid ELSE $3 END, $4, 'member.joined'
       FROM unnest($1::uuid[]) WITH ORDINALITY AS entry (id, nth)`,
      [Array.from({ length: 3 * MANY }, (_, i) => uuidv7({ msecs: start + i })), quiet, busy, ada.userId],
    );
    // With many people it is tempting to join them first, and to put a server's whole log in their order for it.
    await services.dataSource.query(
      `INSERT INTO users (id, username, username_key, display_name)
       SELECT gen_random_uuid(), 'person-' || n, 'person-' || n, 'Person' FROM generate_series(1, ${MANY}) n`,
    );
    await services.dataSource.query(`ANALYZE`);
  }, 120_000);
  afterAll(() => services.close());

  it('is read without what was done in others, page by page', async () => {
    const query = jest.spyOn(services.app.get(Database), 'query');
    const seen = new Set<string>();
    let cursor: string | undefined;
    for (let page = 0; page < 3; page += 1) {
      query.mockClear();
      const { items, nextCursor } = await services.app
        .get(AuditLogController)
        .list(ada, quiet, { limit: 50, ...(cursor && { cursor }) });
      for (const { id } of items) seen.add(id);
      cursor = nextCursor ?? undefined;
      const [read] = query.mock.calls.filter(([text, values]) => /audit_log/.test(text) && values?.[0] === quiet);
      expect(await rowsRead(services.dataSource, 'audit_log', ...(read as [string, unknown[]]))).toBeLessThan(100);
    }
    const newest = await services.dataSource.query(
      `SELECT id FROM audit_log WHERE server_id = $1 ORDER BY id DESC LIMIT 150`,
      [quiet],
    );
    expect([...seen]).toEqual(newest.map(({ id }: { id: string }) => id));
  });
});
