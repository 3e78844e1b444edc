import type { Pool, PoolClient } from 'pg';
import { AccessService } from '../../src/access/access.service.js';
import { Actors } from '../../src/auth/actors.js';
import { ConversationsService } from '../../src/conversations/conversations.service.js';
import { HistoryService } from '../../src/messages/history.service.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { ReactionsService } from '../../src/messages/reactions/reactions.service.js';
import { Presence } from '../../src/realtime/presence.js';
import { ServersService } from '../../src/servers/servers/servers.service.js';
import { LiveReplies } from '../../src/sessions/replies/live-replies.js';
import { actor, type Services, servicesOnOwnDatabase } from '../support/services.js';
import { until } from '../support/until.js';

const TIMES = 40;
/** PostgreSQL plans a statement this often before it considers keeping a plan. */
const FIRST_PLANS = 5;

interface Kept {
  statement: string;
  planned: number;
  runs: number;
}

describe('what is asked for thousands of times a second', () => {
  let services: Services;

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
  }, 60_000);
  afterAll(() => services.close());

  /** What each connection of the app's pool keeps, and how often it was run and planned there. */
  const keptStatements = async (): Promise<Kept[]> => {
    const { master: pool } = services.dataSource.driver as unknown as { master: Pool };
    const connections: PoolClient[] = [];
    // One that a heartbeat holds at this moment comes back too.
    await until(() => Promise.resolve(pool.idleCount === pool.totalCount));
    while (pool.idleCount > 0) connections.push(await pool.connect());
    try {
      const kept = await Promise.all(
        connections.map((connection) =>
          connection.query<Kept>(
            `SELECT statement, custom_plans::int AS planned, (custom_plans + generic_plans)::int AS runs
             FROM pg_prepared_statements`,
          ),
        ),
      );
      return kept.flatMap(({ rows }) => rows);
    } finally {
      connections.forEach((connection) => connection.release());
    }
  };

  it('is planned once by each connection, however few it is asked for', async () => {
    const { app, dataSource } = services;
    const ada = await actor(dataSource, 'ada');
    const server = await app.get(ServersService).create(ada, 'S', undefined);
    const room = server.channels[0]?.id as string;
    await dataSource.query(
      `INSERT INTO messages (conversation_id, seq, id, rev, author_id, role, content)
       SELECT $1, n, uuidv7(), n, $2, 'user', 'hello' FROM generate_series(1, 5000) n`,
      [room, ada.userId],
    );
    await dataSource.query(`UPDATE conversations SET last_seq = 5000, last_rev = 5000 WHERE id = $1`, [room]);
    await dataSource.query(`ANALYZE`);
    const [access, history, messages] = [app.get(AccessService), app.get(HistoryService), app.get(MessagesService)];
    const [conversations, reactions] = [app.get(ConversationsService), app.get(ReactionsService)];
    const writer = await access.enter(ada, room, 'write');

    for (let i = 1; i <= TIMES; i += 1) {
      // Of somebody new each time, and at once forgotten.
      await access.roomOf(room);
      const { userId, loginId } = await actor(dataSource, 'bea');
      await app.get(Actors).find(loginId);
      await conversations.statesOf(userId);
      await conversations.serversOf(userId);
      await app.get(Presence).chosenBy(userId);
      await app.get(LiveReplies).toldTo(userId);
      const { message } = await messages.append(writer, { content: `hello ${i}` });
      await messages.edit(writer, message.id, `edited ${i}`);
      await reactions.add(writer, message.id, '👍');
      await reactions.remove(writer, message.id, '👍');
      await conversations.markRead(writer, i);
      await history.page(writer, {}, 1);
      await history.page(writer, { before: 1_000 }, 50);
      await history.page(writer, { after: 1_000 }, 50);
      await history.page(writer, { around: 1_000 }, 50);
      await history.changes(writer, 5_000, 50);
    }

    // Where a heartbeat held the one connection for a moment another one went on, so that each may have run only some.
    const kept = await keptStatements();
    const runs = new Map<string, number>();
    for (const one of kept) runs.set(one.statement, (runs.get(one.statement) ?? 0) + one.runs);
    const often = [...runs.keys()].filter((statement) => (runs.get(statement) ?? 0) >= TIMES);
    expect(kept.filter(({ statement, planned }) => often.includes(statement) && planned > FIRST_PLANS)).toEqual([]);
    expect(often.length).toBeGreaterThanOrEqual(19);
  }, 60_000);
});
