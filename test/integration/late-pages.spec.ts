import { jest } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { ServerPass } from '../../src/access/pass.js';
import type { Actor } from '../../src/auth/actor.js';
import { DirectsService } from '../../src/directs/directs.service.js';
import { Database } from '../../src/platform/database/database.js';
import type { PageQuery } from '../../src/platform/http/paging.js';
import { BansService } from '../../src/servers/bans/bans.service.js';
import { MembershipsService } from '../../src/servers/memberships/memberships.service.js';
import { ServersService } from '../../src/servers/servers/servers.service.js';
import { rowsRead } from '../support/rows-read.js';
import { actor, type Services, servicesOnOwnDatabase } from '../support/services.js';

const MANY = 20_000;

/** A server that has many members and has banned as many, and somebody who talks with as many. */
describe('a page in the middle of a long list', () => {
  let services: Services;
  let ada: Actor;
  let serverId: string;
  let middle: string;

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
    ada = await actor(services.dataSource, 'ada');
    serverId = (await services.app.get(ServersService).create(ada, 'A server', undefined)).id;
    const ids = Array.from({ length: MANY }, () => uuidv7());
    middle = ids[MANY / 2] as string;
    const fill = (text: string, ...values: unknown[]) => services.dataSource.query(text, [ids, ...values]);
    await fill(`INSERT INTO users (id, username, username_key, display_name)
      SELECT id, 'p' || nth, 'p' || nth, 'P' FROM unnest($1::uuid[]) WITH ORDINALITY AS p (id, nth)`);
    await fill(`INSERT INTO memberships SELECT $2, id, 'MEMBER' FROM unnest($1::uuid[]) id`, serverId);
    await fill(`INSERT INTO bans (server_id, user_id) SELECT $2, id FROM unnest($1::uuid[]) id`, serverId);
    await fill(`INSERT INTO conversations (id, kind) SELECT id, 'direct' FROM unnest($1::uuid[]) id`);
    await fill(`INSERT INTO directs (id, people_key) SELECT id, sha256(id::text::bytea) FROM unnest($1::uuid[]) id`);
    await fill(
      `INSERT INTO direct_participants SELECT id, unnest(ARRAY[id, $2::uuid]) FROM unnest($1::uuid[]) id`,
      ada.userId,
    );
    await services.dataSource.query(`ANALYZE`);
  }, 120_000);
  afterAll(() => services.close());

  type List = (page: PageQuery) => Promise<{ items: unknown[] }>;
  const lists: [string, string[], () => List][] = [
    ['the members of a server', ['memberships', 'users'], () => ofServer(services.app.get(MembershipsService))],
    ['those banned from a server', ['bans', 'users'], () => ofServer(services.app.get(BansService))],
    [
      'the conversations of a person with others',
      ['direct_participants', 'directs', 'conversations', 'users'],
      () => (page) => services.app.get(DirectsService).list(ada, page),
    ],
  ];
  const ofServer = (service: MembershipsService | BansService) => (page: PageQuery) =>
    service.list({ serverId } as ServerPass, page);

  it.each(lists)('of %s is found without what comes before it', async (_, tables, list) => {
    const query = jest.spyOn(services.app.get(Database), 'query').mockClear();
    const { items } = await list()({ limit: 50, cursor: Buffer.from(JSON.stringify([middle])).toString('base64url') });
    expect(items).toHaveLength(50);
    const [read] = query.mock.calls;
    for (const table of tables) {
      expect(await rowsRead(services.dataSource, table, ...(read as [string, unknown[]]))).toBeLessThan(250);
    }
  });
});
