import type { DataSource, QueryRunner } from 'typeorm';
import { giveLife } from './crowd-life.js';

export interface Size {
  members: number;
  channels: number;
  messages: number;
}

/** 20 channels a server. */
const CHANNELS_EACH = 20;
const FIRST_LETTERS = 'bcdfghklmnprstvz';
const SECOND_LETTERS = 'aeiou';

/**
 * Fills an empty database with people, servers, channels and messages, all in SQL. Everybody is in the first server,
 * whose first channel holds half of all messages; of the others few are busy and most are quiet, and people are in 1
 * to 15 servers. Words follow Zipf's law over 20,000 made-up ones, and every hundredth message is Chinese.
 */
export async function makeCrowd(dataSource: DataSource, size: Size): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query(`SELECT setseed(0.25)`);
    await runner.query(`SET maintenance_work_mem = '512MB'`);
    await people(runner, size.members);
    await rooms(runner, size);
    await withoutGinIndexes(runner, async () => {
      await messages(runner, size);
      await giveLife(runner);
    });
    await runner.query(`VACUUM (ANALYZE)`);
  } finally {
    await runner.release();
  }
}

/** The n-th most frequent word: up to 80 it has one syllable, and three from there; no two are alike. */
export function word(n: number): string {
  const syllable = (digit: number) => `${FIRST_LETTERS.charAt(digit % 16)}${SECOND_LETTERS.charAt((digit >> 4) % 5)}`;
  if (n <= 80) return syllable(n % 80);
  const mixed = n * 7919;
  return [mixed, mixed / 80, mixed / 6400].map((part) => syllable(Math.floor(part) % 80)).join('');
}

async function people(runner: QueryRunner, members: number): Promise<void> {
  await runner.query(
    `INSERT INTO users (id, username, username_key, display_name)
     SELECT uuidv7(), 'user' || n, 'user' || n, 'User ' || n FROM generate_series(1, $1::int) n`,
    [members],
  );
}

async function rooms(runner: QueryRunner, { channels }: Size): Promise<void> {
  const servers = Math.ceil(channels / CHANNELS_EACH);
  await runner.query(
    `INSERT INTO servers (id, name) SELECT uuidv7(), 'server ' || n FROM generate_series(1, $1::int) n`,
    [servers],
  );
  await runner.query(
    `INSERT INTO conversations (id, kind) SELECT uuidv7(), 'channel' FROM generate_series(1, $1::int)`,
    [channels],
  );
  await runner.query(
    `WITH server AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM servers),
       room AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM conversations)
     INSERT INTO channels (id, server_id, name, name_key, type, position)
     SELECT room.id, server.id, 'channel-' || room.n, 'channel-' || room.n, 'TEXT', room.n
     FROM room JOIN server ON server.n = room.n % $1::int`,
    [servers],
  );
  await runner.query(
    `INSERT INTO memberships (server_id, user_id, role)
     SELECT server_id, user_id,
       CASE WHEN row_number() OVER (PARTITION BY server_id ORDER BY user_id) = 1 THEN 'ADMIN' ELSE 'MEMBER' END
     FROM (
       SELECT s.id AS server_id, u.id AS user_id
       FROM (SELECT id, 1 + 14 * random() ^ 3 AS servers FROM users) u
       CROSS JOIN LATERAL (SELECT id FROM servers WHERE u.id IS NOT NULL ORDER BY random() LIMIT u.servers::int) s
       UNION
       SELECT (SELECT min(id::text)::uuid FROM servers), id FROM users
     ) AS joined`,
  );
}

/** Building them once is many times faster than keeping them while millions of rows come. */
async function withoutGinIndexes(runner: QueryRunner, work: () => Promise<void>): Promise<void> {
  const indexes = (await runner.query(
    `SELECT indexname AS name, indexdef AS definition FROM pg_indexes
     WHERE tablename = 'messages' AND indexdef LIKE '%USING gin%'`,
  )) as { name: string; definition: string }[];
  for (const { name } of indexes) await runner.query(`DROP INDEX ${name}`);
  await work();
  for (const { definition } of indexes) await runner.query(definition);
}

async function messages(runner: QueryRunner, { messages: count }: Size): Promise<void> {
  await runner.query(`
    CREATE FUNCTION pg_temp.syllable(digit int) RETURNS text LANGUAGE sql IMMUTABLE RETURN
      substr('${FIRST_LETTERS}', 1 + digit % 16, 1) || substr('${SECOND_LETTERS}', 1 + digit / 16 % 5, 1)`);
  await runner.query(`
    CREATE FUNCTION pg_temp.word(n int) RETURNS text LANGUAGE sql IMMUTABLE RETURN
      CASE WHEN n <= 80 THEN pg_temp.syllable(n % 80)
        ELSE pg_temp.syllable(n * 7919 % 80) || pg_temp.syllable(n * 7919 / 80 % 80)
          || pg_temp.syllable(n * 7919 / 6400 % 80) END`);
  await runner.query(`CREATE TEMP TABLE words AS SELECT n, pg_temp.word(n) AS word FROM generate_series(0, 20000) n`);
  await runner.query(`ALTER TABLE words ADD PRIMARY KEY (n)`);
  await runner.query(
    `CREATE TEMP TABLE speakers AS
     SELECT server_id, user_id, row_number() OVER (PARTITION BY server_id ORDER BY user_id) AS n,
       count(*) OVER (PARTITION BY server_id) AS people
     FROM memberships`,
  );
  await runner.query(`ALTER TABLE speakers ADD PRIMARY KEY (server_id, n)`);
  await runner.query(
    `CREATE TEMP TABLE drafts AS
     WITH room AS (
       SELECT c.id, c.server_id, row_number() OVER (ORDER BY c.id) AS n, count(*) OVER () AS rooms,
         (SELECT max(people) FROM speakers s WHERE s.server_id = c.server_id) AS people
       FROM channels c
     ), draft AS (
       SELECT n, CASE WHEN n % 2 = 0 THEN 1
         ELSE 1 + floor((SELECT max(rooms) FROM room) * random() ^ 2)::int END AS room
       FROM generate_series(1, $1::int) n
     )
     SELECT draft.n, room.id AS conversation_id, room.server_id, 1 + floor(random() * room.people)::int AS speaker,
       row_number() OVER (PARTITION BY room.id ORDER BY draft.n) AS seq
     FROM draft JOIN room ON room.n = draft.room`,
    [count],
  );
  await runner.query(`ANALYZE drafts, speakers, words`);
  await runner.query(
    `INSERT INTO messages (conversation_id, seq, id, rev, author_id, role, content, created_at)
     SELECT d.conversation_id, d.seq, uuidv7(age.age), d.seq, s.user_id, 'user',
       CASE WHEN d.n % 100 = 0 THEN '今天我们在频道 ' || d.n || ' 讨论全文搜索' ELSE text.text END, now() + age.age
     FROM drafts d JOIN speakers s ON s.server_id = d.server_id AND s.n = d.speaker
     CROSS JOIN LATERAL (SELECT make_interval(secs => (d.n - $1::int) * 30.0) AS age) age
     CROSS JOIN LATERAL (
       SELECT string_agg(w.word, ' ') AS text
       FROM (SELECT floor(exp(random() * ln(20000)))::int AS n FROM generate_series(1, 3 + (d.n % 13))) i
       JOIN words w ON w.n = i.n
     ) text
     ORDER BY d.n`,
    [count],
  );
  await runner.query(`
    UPDATE conversations c SET last_seq = m.last, last_rev = m.last, last_message_at = m.at
    FROM (SELECT conversation_id, max(seq) AS last, max(created_at) AS at FROM messages GROUP BY conversation_id) m
    WHERE m.conversation_id = c.id`);
}
