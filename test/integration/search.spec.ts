import type { Actor } from '../../src/auth/actor.js';
import { lookUpStatement, walkStatement } from '../../src/messages/search/search-statement.js';
import { SearchService } from '../../src/messages/search/search.service.js';
import { Database } from '../../src/platform/database/database.js';
import { readTerms } from '../../src/messages/search/search-terms.js';
import { ServersService } from '../../src/servers/servers/servers.service.js';
import { actor, type Services, servicesOnOwnDatabase } from '../support/services.js';

const ROOMS = 12;
const MESSAGES = 30_000;

/** More messages than the walk reads, in busy and quiet rooms, of which the searcher is in every other one. */
describe('search among many messages', () => {
  let services: Services;
  let ada: Actor;
  let mine: string[];

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
    const { app, dataSource } = services;
    ada = await actor(dataSource, 'ada');
    const eve = await actor(dataSource, 'eve');
    const rooms: string[] = [];
    for (let i = 0; i < ROOMS; i += 1) {
      const server = await app.get(ServersService).create(i % 2 === 0 ? ada : eve, `S${i}`, undefined);
      rooms.push(server.channels[0]?.id as string);
    }
    mine = rooms.filter((_, i) => i % 2 === 0);
    // One room has half of all, and times come in clusters of the very same millisecond.
    await dataSource.query(
      `INSERT INTO messages (conversation_id, seq, rev, id, role, content, created_at)
       SELECT room, row_number() OVER (PARTITION BY room ORDER BY n), row_number() OVER (PARTITION BY room ORDER BY n),
         gen_random_uuid(), 'user', 'everywhere ' || CASE WHEN n % 2 = 0 THEN 'half ' ELSE '' END
           || CASE WHEN n % 97 = 0 THEN 'seldom ' ELSE '' END || CASE WHEN n % 5003 = 0 THEN 'rarest ' ELSE '' END
           || CASE WHEN n % 23 = 0 THEN 'often ' ELSE '' END
           || CASE WHEN n % 10 = 1 AND n NOT BETWEEN 3000 AND 29500 THEN 'uneven ' ELSE '' END
           || CASE WHEN n < 300 THEN 'ancient ' ELSE '' END || CASE WHEN n % 211 = 0 THEN 'unlikely ' ELSE '' END
           || '第' || n || CASE WHEN n % 301 = 0 THEN '号文件' ELSE '号' END,
         '2026-01-01'::timestamptz + make_interval(secs => n / 7)
       FROM generate_series(1, $2::int) n
       CROSS JOIN LATERAL (SELECT ($1::uuid[])[CASE WHEN n % 2 = 0 THEN 1 ELSE 1 + n / 3 % $3 END] AS room) AS rooms`,
      [rooms, MESSAGES, ROOMS],
    );
    await dataSource.query(
      `UPDATE conversations c SET last_seq = m.last, last_rev = m.last, last_message_at = m.at
       FROM (SELECT conversation_id, max(seq) AS last, max(created_at) AS at FROM messages GROUP BY conversation_id) m
       WHERE m.conversation_id = c.id`,
    );
    await dataSource.query(`ANALYZE messages`);
  }, 60_000);

  afterAll(() => services.close());

  const all = async (q: string, most: number, limit = 100) => {
    const ids: string[] = [];
    for (let cursor: string | undefined; ids.length < most;) {
      const page = await services.app.get(SearchService).search(ada, { q, limit, ...(cursor && { cursor }) });
      ids.push(...page.items.map(({ message }) => message.id));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    return ids.slice(0, most);
  };
  /** What a plain reading of every message finds. */
  const expected = async (pattern: string, most: number) => {
    const rows: { id: string }[] = await services.dataSource.query(
      `SELECT id FROM messages WHERE conversation_id = ANY($1) AND content LIKE $2
       ORDER BY created_at DESC, id DESC LIMIT $3`,
      [mine, pattern, most],
    );
    return rows.map(({ id }) => id);
  };

  it.each([
    ['a word of every message', 'everywhere', '%everywhere%', 700],
    ['a word of half of them', 'half', '%half%', 700],
    ['a word of one in twenty', 'often', '%often%', 1000],
    ['a word of one in a hundred', 'seldom', '%seldom%', 1000],
    ['a word of one in five thousand', 'rarest', '%rarest%', 1000],
    ['a word that only the oldest have', 'ancient', '%ancient%', 1000],
    ['a word that is common now and was long ago', 'uneven', '%uneven%', 1000],
    ['two words that are seldom together', 'seldom unlikely', '%seldom%unlikely%', 1000],
    ['a part of a word', 'eldo', '%seldom%', 1000],
    ['a part that is everywhere', 'verywher', '%everywhere%', 300],
    ['Chinese that is seldom', '文件', '%文件%', 1000],
    ['Chinese that is everywhere', '号', '%号%', 300],
    ['what nobody said', 'never', '%never%', 10],
  ])('finds %s, all of it, in its own rooms alone, newest first', async (_, q, pattern, most) => {
    const wanted = await expected(pattern, most);
    for (const limit of [100, 13]) expect(await all(q, most, limit)).toEqual(wanted);
    expect(wanted.length > 0 || q === 'never').toBe(true);
  });

  it('leaves connections to all other calls, however many searches wait', async () => {
    const { app, dataSource } = services;
    const held = dataSource.createQueryRunner();
    await held.startTransaction();
    await held.query(`LOCK TABLE messages`);
    const refused: unknown[] = [];
    const search = () => app.get(SearchService).search(ada, { q: 'seldom', limit: 50 });
    const searches = Array.from({ length: 100 }, () => search().catch(({ code }) => refused.push(code)));
    const settled = Promise.all(searches);
    try {
      await app.get(Database).query(`SELECT 1`);
      // At most 8 of them run, and 50 wait.
      expect(refused.length).toBeGreaterThanOrEqual(42);
      expect(new Set(refused)).toEqual(new Set(['overloaded']));
    } finally {
      await held.rollbackTransaction();
      await held.release();
      await settled;
    }
  });

  it('finds what was said in any of thousands of threads', async () => {
    const { dataSource } = services;
    await dataSource.query(
      `WITH hung AS (
         SELECT uuidv7() AS id, m.conversation_id, m.id AS message_id, m.created_at FROM messages m
         WHERE m.conversation_id = ANY($1) AND m.seq % 12 = 5
       ), room AS (
         INSERT INTO conversations (id, kind, last_seq, last_rev, last_message_at)
         SELECT id, 'thread', 1, 1, created_at + interval '1 s' FROM hung
       ), thread AS (
         INSERT INTO threads (id, parent_id, message_id, created_at, active_at)
         SELECT id, conversation_id, message_id, created_at, created_at + interval '1 s' FROM hung
       )
       INSERT INTO messages (conversation_id, seq, rev, id, role, content, created_at)
       SELECT id, 1, 1, gen_random_uuid(), 'user', 'aside ' || CASE WHEN message_id::text < '4' THEN 'quarter' ELSE '' END,
         created_at + interval '1 s'
       FROM hung`,
      [mine],
    );
    for (const [q, pattern] of [
      ['aside', 'aside%'],
      ['quarter', 'aside quarter'],
      ['uarte', 'aside quarter'],
    ] as const) {
      const rows: { id: string }[] = await dataSource.query(
        `SELECT id FROM messages WHERE content LIKE $1 ORDER BY created_at DESC, id DESC`,
        [pattern],
      );
      expect(rows.length).toBeGreaterThan(q === 'aside' ? 1500 : 300);
      expect(await all(q, 1000)).toEqual(rows.slice(0, 1000).map(({ id }) => id));
    }
  });

  it.each(['seldom', 'everywhere', 'eldo', '文件'])('reads no table from end to end for %s', async (q) => {
    const planOf = async ({ text, values }: { text: string; values: unknown[] }) => {
      const plan: { 'QUERY PLAN': string }[] = await services.dataSource.query(`EXPLAIN ${text}`, values);
      return plan.map((row) => row['QUERY PLAN']).join('\n');
    };
    for (const rank of ['words', 'parts'] as const) {
      const wanted = { userId: ada.userId, groups: readTerms(q), rank, limit: 51 };
      const walk = await planOf(walkStatement(wanted, [rank], { messages: 1000, rooms: 100 }));
      const lookUp = await planOf(lookUpStatement(wanted, { until: new Date() }));
      expect(walk).toMatch(/messages_time/);
      expect(lookUp).toMatch(/messages_words|messages_parts/);
      expect(walk + lookUp).not.toMatch(/Seq Scan on messages/);
    }
  });
});
