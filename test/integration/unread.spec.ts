import { jest } from '@jest/globals';
import type { Actor } from '../../src/auth/actor.js';
import { ConversationsService } from '../../src/conversations/conversations.service.js';
import { Database } from '../../src/platform/database/database.js';
import { ServersService } from '../../src/servers/servers/servers.service.js';
import { rowsRead } from '../support/rows-read.js';
import { actor, type Services, servicesOnOwnDatabase } from '../support/services.js';

const MANY = 40_000;

/** A program that writes and never reads: 40,000 messages of its own, then five of a person who named everybody. */
describe('what is unread by who wrote nearly all of it', () => {
  let services: Services;
  let feed: Actor;
  let room: string;

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
    const { dataSource } = services;
    feed = await actor(dataSource, 'feed');
    const ada = await actor(dataSource, 'ada');
    const server = await services.app.get(ServersService).create(feed, 'S', undefined);
    room = server.channels[0]?.id as string;
    await dataSource.query(
      `INSERT INTO messages (conversation_id, seq, id, rev, author_id, role, content, mentions_everyone)
       SELECT $1, n, uuidv7(), n, CASE WHEN n > ${MANY} THEN $3::uuid ELSE $2::uuid END, 'user', 'hello', true
       FROM generate_series(1, ${MANY + 5}) n`,
      [room, feed.userId, ada.userId],
    );
    await dataSource.query(`UPDATE conversations SET last_seq = $2, last_rev = $2 WHERE id = $1`, [room, MANY + 5]);
    await dataSource.query(`ANALYZE`);
  }, 120_000);
  afterAll(() => services.close());

  it('is counted right, and no further back than a few thousand messages', async () => {
    const prepared = jest.spyOn(services.app.get(Database), 'prepared');
    const [state] = await services.app.get(ConversationsService).statesOf(feed.userId);
    expect(state).toMatchObject({ id: room, unread: 5, mentions: 5 });
    const [read] = prepared.mock.calls.filter(([text, [who]]) => /unread/.test(text) && String(who) === feed.userId);
    expect(await rowsRead(services.dataSource, 'messages', ...(read as [string, unknown[]]))).toBeLessThan(15_000);
  });
});
