import type { DataSource } from 'typeorm';

export interface Size {
  members: number;
  channels: number;
  messages: number;
}

/** 20 channels a server. */
const CHANNELS_EACH = 20;

/**
 * Fills an empty database with people, servers, channels and messages, all in SQL: few channels are busy and most are
 * quiet, people are in 1 to 15 servers, words follow Zipf's law over 20,000 made-up ones, and every hundredth message
 * is Chinese. The text of message n is always the same.
 */
export async function makeCrowd(dataSource: DataSource, size: Size): Promise<void> {
  const servers = Math.ceil(size.channels / CHANNELS_EACH);
  await dataSource.query(`SELECT setseed(0.25)`);
  await people(dataSource, size.members);
  await rooms(dataSource, servers, size);
  await messages(dataSource, size);
  await dataSource.query(`ANALYZE`);
}

async function people(dataSource: DataSource, members: number): Promise<void> {
  await dataSource.query(
    `INSERT INTO users (id, username, username_key, display_name)
     SELECT uuidv7(), 'user' || n, 'user' || n, 'User ' || n FROM generate_series(1, $1::int) n`,
    [members],
  );
}

async function rooms(dataSource: DataSource, servers: number, { channels }: Size): Promise<void> {
  await dataSource.query(
    `INSERT INTO servers (id, name) SELECT uuidv7(), 'server ' || n FROM generate_series(1, $1::int) n`,
    [servers],
  );
  await dataSource.query(
    `INSERT INTO conversations (id, kind) SELECT uuidv7(), 'channel' FROM generate_series(1, $1::int)`,
    [channels],
  );
  await dataSource.query(
    `WITH server AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM servers),
       room AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM conversations)
     INSERT INTO channels (id, server_id, name, name_key, type, position)
     SELECT room.id, server.id, 'channel-' || room.n, 'channel-' || room.n, 'TEXT', room.n
     FROM room JOIN server ON server.n = room.n % $1::int`,
    [servers],
  );
  await dataSource.query(
    `INSERT INTO memberships (server_id, user_id, role)
     SELECT s.id, u.id, CASE WHEN row_number() OVER (PARTITION BY s.id ORDER BY u.id) = 1 THEN 'ADMIN' ELSE 'MEMBER' END
     FROM (SELECT id, 1 + 14 * random() ^ 3 AS servers FROM users) u
     CROSS JOIN LATERAL (SELECT id FROM servers WHERE u.id IS NOT NULL ORDER BY random() LIMIT u.servers::int) s`,
  );
}

async function messages(dataSource: DataSource, { messages: count }: Size): Promise<void> {
  // Word 1 to 80 has one syllable, all others have three; no two are alike.
  await dataSource.query(`
    CREATE FUNCTION pg_temp.syllable(digit int) RETURNS text LANGUAGE sql IMMUTABLE RETURN
      substr('bcdfghklmnprstvz', 1 + digit % 16, 1) || substr('aeiou', 1 + digit / 16 % 5, 1)`);
  await dataSource.query(`
    CREATE FUNCTION pg_temp.word(n int) RETURNS text LANGUAGE sql IMMUTABLE RETURN
      CASE WHEN n <= 80 THEN pg_temp.syllable(n % 80)
        ELSE pg_temp.syllable(n * 7919 % 80) || pg_temp.syllable(n * 7919 / 80 % 80)
          || pg_temp.syllable(n * 7919 / 6400 % 80) END`);
  await dataSource.query(
    `CREATE TEMP TABLE drafts AS
     WITH room AS (
       SELECT c.id, c.server_id, row_number() OVER (ORDER BY c.id) AS n, count(*) OVER () AS rooms FROM channels c
     ), draft AS (
       SELECT n, 1 + floor((SELECT max(rooms) FROM room) * random() ^ 2)::int AS room FROM generate_series(1, $1::int) n
     )
     SELECT draft.n, room.id AS conversation_id, room.server_id,
       row_number() OVER (PARTITION BY room.id ORDER BY draft.n) AS seq
     FROM draft JOIN room ON room.n = draft.room`,
    [count],
  );
  await dataSource.query(`CREATE TEMP TABLE speakers AS
    SELECT server_id, array_agg(user_id) AS people FROM memberships GROUP BY server_id`);
  await dataSource.query(
    `INSERT INTO messages (conversation_id, seq, id, rev, author_id, role, content, created_at)
     SELECT d.conversation_id, d.seq, uuidv7(age.age), d.seq,
       s.people[1 + floor(random() * cardinality(s.people))::int], 'user',
       CASE WHEN d.n % 100 = 0 THEN '今天我们在频道 ' || d.n || ' 讨论全文搜索' ELSE text.text END, now() + age.age
     FROM drafts d JOIN speakers s ON s.server_id = d.server_id
     CROSS JOIN LATERAL (SELECT make_interval(secs => (d.n - $1::int) * 30.0) AS age) age
     CROSS JOIN LATERAL (
       SELECT string_agg(pg_temp.word(floor(exp(random() * ln(20000)))::int), ' ') AS text
       FROM generate_series(1, 3 + (d.n % 13)) i
     ) text
     ORDER BY d.n`,
    [count],
  );
  await dataSource.query(`
    UPDATE conversations c SET last_seq = m.last, last_rev = m.last, last_message_at = m.at
    FROM (SELECT conversation_id, max(seq) AS last, max(created_at) AS at FROM messages GROUP BY conversation_id) m
    WHERE m.conversation_id = c.id`);
}
