import type { Pool, PoolClient } from 'pg';
import { AccessService } from '../../src/access/access.service.js';
import type { Actor } from '../../src/auth/actor.js';
import { ConversationsService } from '../../src/conversations/conversations.service.js';
import { HistoryService } from '../../src/messages/history.service.js';
import { InboxService } from '../../src/messages/inbox.service.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { PinsService } from '../../src/messages/pins/pins.service.js';
import { ReactionsService } from '../../src/messages/reactions/reactions.service.js';
import { SearchService } from '../../src/messages/search/search.service.js';
import { ThreadsService } from '../../src/messages/threads/threads.service.js';
import { ServersService } from '../../src/servers/servers/servers.service.js';
import { actor, type Services, servicesOnOwnDatabase } from '../support/services.js';
import { until } from '../support/until.js';

const SMALL_ROOMS = 20_000;
const MESSAGES = 40_000;
/** Pages of 8 KiB; the big room fills a thousand and more. */
const FEW_PAGES = 500;

/** Among rooms of two messages each, so that a plan for whatever room it may be is one for such a room. */
describe('in a big room among many small ones', () => {
  let services: Services;
  let ada: Actor;
  let room: string;

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
    ada = await actor(services.dataSource, 'ada');
    room = (await services.app.get(ServersService).create(ada, 'S', undefined)).channels[0]?.id as string;
    const run = (text: string, ...values: unknown[]) => services.dataSource.query(text, values);
    // Its pages would be counted as well.
    await run(`ALTER TABLE messages SET (autovacuum_enabled = off)`);
    await run(`INSERT INTO conversations (id, kind, last_seq, last_rev)
      SELECT uuidv7(), 'session', 2, 2 FROM generate_series(1, ${SMALL_ROOMS})`);
    await run(
      `INSERT INTO sessions (id, type, owner_id, title)
       SELECT id, 'agent', $1, 'mine' FROM conversations WHERE kind = 'session' LIMIT 200`,
      ada.userId,
    );
    await run(
      `INSERT INTO messages (conversation_id, seq, id, rev, author_id, role, content, created_at)
       SELECT id, n, uuidv7(), n, $1, 'user', CASE WHEN n % 400 = 0 THEN 'something rare' ELSE 'hello' END,
         now() - (${MESSAGES} - n) * interval '1 minute'
       FROM conversations CROSS JOIN generate_series(1, CASE WHEN id = $2 THEN ${MESSAGES} ELSE 2 END) n`,
      ada.userId,
      room,
    );
    await run(`UPDATE conversations SET last_seq = ${MESSAGES}, last_rev = ${MESSAGES} WHERE id = $1`, room);
    await run(`VACUUM ANALYZE`);
    // As on connections that have asked for many rooms.
    await onAllConnections(`SET plan_cache_mode = force_generic_plan`);
  }, 120_000);
  afterAll(() => services.close());

  it('nothing that is done to a message reads the room', async () => {
    const { app } = services;
    const writer = await app.get(AccessService).enter(ada, room, 'write');
    const pinner = await app.get(AccessService).enter(ada, room, 'pin');
    const moderator = await app.get(AccessService).enter(ada, room, 'moderate');
    const [messages, reactions, pins] = [app.get(MessagesService), app.get(ReactionsService), app.get(PinsService)];
    const history = app.get(HistoryService);
    const { message } = await messages.append(writer, { content: 'hello' });

    const pages = {
      send: await pagesOf(() =>
        messages.append(writer, { content: '@ada @everyone', replyToId: message.id, nonce: 'n1' }),
      ),
      edit: await pagesOf(() => messages.edit(writer, message.id, 'edited')),
      react: await pagesOf(() => reactions.add(writer, message.id, '👍')),
      unreact: await pagesOf(() => reactions.remove(writer, message.id, '👍')),
      pin: await pagesOf(() => pins.pin(pinner, message.id)),
      unpin: await pagesOf(() => pins.unpin(pinner, message.id)),
      thread: await pagesOf(() => app.get(ThreadsService).open(writer, message.id)),
      page: await pagesOf(() => history.page(writer, { around: 100 }, 50)),
      changes: await pagesOf(() => history.changes(writer, MESSAGES, 50)),
      read: await pagesOf(() => app.get(ConversationsService).markRead(writer, 10)),
    };
    // These are planned for each room.
    await onAllConnections(`RESET plan_cache_mode`);
    const deleting = {
      delete: await pagesOf(() => messages.delete(writer, message.id)),
      deleteMany: await pagesOf(() => messages.deleteMany(moderator, [message.id])),
    };
    expect(Object.entries({ ...pages, ...deleting }).filter(([, count]) => count > FEW_PAGES)).toEqual([]);
    expect(pages.edit).toBeGreaterThan(0);
  }, 60_000);

  it('nor does a list that shows a message of it, or a search', async () => {
    const { app } = services;
    const reader = await app.get(AccessService).enter(ada, room, 'read');
    const inbox = app.get(InboxService);
    await onAllConnections(`SET plan_cache_mode = force_generic_plan`);
    const lists = {
      conversations: await pagesOf(() => inbox.list(ada.userId, undefined, { limit: 50 })),
      threads: await pagesOf(() => inbox.threads(reader, { limit: 50 })),
      one: await pagesOf(() => inbox.one(reader)),
    };
    await onAllConnections(`RESET plan_cache_mode`);
    const search = (q: string) => app.get(SearchService).search(ada, { q, limit: 50 });
    expect((await search('rare')).items).toHaveLength(50);
    const searches = {
      frequent: await pagesOf(() => search('hello')),
      rare: await pagesOf(() => search('rare')),
      part: await pagesOf(() => search('omethin')),
      nothing: await pagesOf(() => search('xylophone')),
    };
    expect(Object.entries(lists).filter(([, count]) => count > 5 * FEW_PAGES)).toEqual([]);
    // What is walked varies with the sample that PostgreSQL took; for each message found the room has a thousand pages.
    expect(Object.entries(searches).filter(([, count]) => count > 20 * FEW_PAGES)).toEqual([]);
  }, 60_000);

  /** How many pages of the messages and their indexes are looked at meanwhile. */
  async function pagesOf(work: () => Promise<unknown>): Promise<number> {
    const before = await pagesSoFar();
    await work();
    return (await pagesSoFar()) - before;
  }

  async function pagesSoFar(): Promise<number> {
    await onAllConnections(`SELECT pg_stat_force_next_flush()`);
    const [{ pages }] = await services.dataSource.query(
      `SELECT heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit AS pages FROM pg_statio_user_tables
       WHERE relname = 'messages'`,
    );
    return Number(pages);
  }

  async function onAllConnections(text: string): Promise<void> {
    const { master: pool } = services.dataSource.driver as unknown as { master: Pool };
    await until(() => Promise.resolve(pool.idleCount === pool.totalCount));
    const connections: PoolClient[] = [];
    while (pool.idleCount > 0) connections.push(await pool.connect());
    for (const connection of connections) {
      await connection.query(text);
      connection.release();
    }
  }
});
