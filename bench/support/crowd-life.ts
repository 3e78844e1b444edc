import type { QueryRunner } from 'typeorm';

/**
 * What people do with the messages of a crowd: edits, reactions, pins, mentions, threads, files, deletions, reading.
 * And what is about them: direct conversations, peer sessions, many short ones with an agent, bans, invites, an audit log.
 */
export async function giveLife(runner: QueryRunner): Promise<void> {
  await changes(runner);
  await threads(runner);
  await betweenPeople(runner);
  await withAgents(runner);
  await reading(runner);
  await moderation(runner);
  await notifications(runner);
}

/** Ten questions of each person with their answers: most rooms are so small that a plan for all rooms is one for these. */
async function withAgents(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TEMP TABLE questions AS
    SELECT uuidv7() AS id, u.id AS owner_id, agent.id AS agent_id, now() - (n * 7 + random()) * interval '1 day' AS at
    FROM users u, generate_series(1, 10) n, (SELECT id FROM agents LIMIT 1) agent`);
  await runner.query(`
    INSERT INTO conversations (id, kind, last_seq, last_rev, last_message_at, created_at)
    SELECT id, 'session', 2, 2, at, at FROM questions`);
  await runner.query(`
    INSERT INTO sessions (id, type, owner_id, agent_id, title) SELECT id, 'agent', owner_id, agent_id, 'A question' FROM questions`);
  await runner.query(`
    INSERT INTO messages (conversation_id, seq, id, rev, author_id, agent_id, role, content, created_at)
    SELECT id, seq, uuidv7(at - now()), seq, CASE WHEN seq = 1 THEN owner_id END, CASE WHEN seq = 2 THEN agent_id END,
      CASE WHEN seq = 1 THEN 'user' ELSE 'agent' END, 'What do you think of this?', at
    FROM questions, generate_series(1, 2) seq`);
}

/** Every twentieth message was changed after it was sent: edited, reacted to, some pinned, some deleted. */
async function changes(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TEMP TABLE changed AS
    SELECT m.conversation_id, m.seq, m.id, m.rev AS old_rev,
      c.last_seq + row_number() OVER (PARTITION BY m.conversation_id ORDER BY m.seq) AS rev,
      row_number() OVER (PARTITION BY m.conversation_id ORDER BY m.seq) AS nth
    FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE m.seq % 20 = 7`);
  await runner.query(`ANALYZE changed`);
  await runner.query(`
    INSERT INTO message_revisions (conversation_id, message_id, rev, content, created_at)
    SELECT m.conversation_id, m.id, m.rev, m.content, m.created_at
    FROM changed c JOIN messages m USING (conversation_id, seq) WHERE c.nth % 2 = 0`);
  await runner.query(`
    INSERT INTO reactions (conversation_id, message_id, emoji, rev, user_id)
    SELECT c.conversation_id, c.id, CASE WHEN s.n < 4 THEN '👍' ELSE '🎉' END, s.n, s.user_id
    FROM changed c JOIN channels ch ON ch.id = c.conversation_id 
    JOIN speakers s ON s.server_id = ch.server_id AND s.n <= 4
    WHERE c.nth % 40 <> 1`);
  // One that everybody answered.
  await runner.query(`
    INSERT INTO reactions (conversation_id, message_id, emoji, rev, user_id)
    SELECT c.conversation_id, c.id, '👍', s.n + 10, s.user_id
    FROM (SELECT * FROM changed ORDER BY rev DESC LIMIT 1) c JOIN channels ch ON ch.id = c.conversation_id
    JOIN speakers s ON s.server_id = ch.server_id AND s.n > 4`);
  await runner.query(`
    UPDATE messages m SET rev = c.rev,
      edited_at = CASE WHEN c.nth % 2 = 0 THEN m.created_at + interval '1 minute' END,
      pinned_at = CASE WHEN c.nth <= 50 THEN m.created_at + interval '1 hour' + c.nth * interval '1 s' END,
      reactions = (
        SELECT jsonb_agg(jsonb_build_object('emoji', kind.emoji, 'count', kind.count) ORDER BY kind.emoji DESC)
        FROM (
          SELECT r.emoji, count(*) FROM reactions r
          WHERE r.conversation_id = c.conversation_id AND r.message_id = c.id GROUP BY r.emoji
        ) kind
      )
    FROM changed c WHERE m.conversation_id = c.conversation_id AND m.seq = c.seq`);
  await runner.query(`
    UPDATE messages m SET content = NULL, reactions = NULL, pinned_at = NULL, deleted_at = m.created_at + interval '1 day'
    FROM changed c WHERE m.conversation_id = c.conversation_id AND m.seq = c.seq AND c.nth % 40 = 1`);
  await runner.query(`
    UPDATE conversations c SET last_rev = m.last
    FROM (SELECT conversation_id, max(rev) AS last FROM changed GROUP BY conversation_id) m WHERE m.conversation_id = c.id`);
  await mentions(runner);
}

async function mentions(runner: QueryRunner): Promise<void> {
  await runner.query(`
    INSERT INTO mentions (conversation_id, seq, user_id)
    SELECT m.conversation_id, m.seq, s.user_id
    FROM messages m JOIN channels ch ON ch.id = m.conversation_id
    JOIN speakers s ON s.server_id = ch.server_id AND s.n = 1 + m.seq % s.people
    WHERE m.seq % 25 = 3 AND s.user_id <> m.author_id`);
  await runner.query(`
    UPDATE messages m SET mentions = ARRAY[named.user_id] FROM mentions named
    WHERE m.conversation_id = named.conversation_id AND m.seq = named.seq`);
  await runner.query(`UPDATE messages SET mentions_everyone = true WHERE seq % 1000 = 500`);
  await runner.query(`
    INSERT INTO attachments (id, uploader_id, conversation_id, message_id, name, type, size)
    SELECT uuidv7(), author_id, conversation_id, id, 'notes.txt', 'text/plain', 1000 FROM messages
    WHERE seq % 100 = 60 AND content IS NOT NULL`);
  await runner.query(`
    UPDATE messages m SET attachments = jsonb_build_array(jsonb_build_object('id', a.id, 'name', a.name, 'type', a.type,
      'size', a.size, 'width', NULL, 'height', NULL, 'thumbnail', false))
    FROM attachments a WHERE m.conversation_id = a.conversation_id AND m.id = a.message_id`);
}

/** On every 250th message one, of five messages by four people. */
async function threads(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TEMP TABLE hung AS
    SELECT uuidv7(m.created_at - now()) AS id, m.conversation_id, m.id AS message_id, m.created_at, ch.server_id, m.seq
    FROM messages m JOIN channels ch ON ch.id = m.conversation_id WHERE m.seq % 250 = 17`);
  await runner.query(`
    INSERT INTO conversations (id, kind, last_seq, last_rev, last_message_at, created_at)
    SELECT id, 'thread', 5, 5, created_at + interval '5 minutes', created_at FROM hung`);
  await runner.query(`INSERT INTO threads (id, parent_id, message_id, created_at, active_at)
    SELECT id, conversation_id, message_id, created_at, created_at + interval '5 minutes' FROM hung`);
  await runner.query(`
    INSERT INTO messages (conversation_id, seq, id, rev, author_id, role, content, created_at)
    SELECT h.id, nth, uuidv7(h.created_at - now() + nth * interval '1 minute'), nth, s.user_id, 'user', 'about that ' || nth,
      h.created_at + nth * interval '1 minute'
    FROM hung h CROSS JOIN generate_series(1, 5) nth
    JOIN speakers s ON s.server_id = h.server_id AND s.n = 1 + (h.seq + nth % 4) % s.people`);
  await runner.query(`
    INSERT INTO thread_participants (thread_id, user_id)
    SELECT DISTINCT m.conversation_id, m.author_id FROM messages m JOIN hung ON hung.id = m.conversation_id`);
}

/** Half as many direct conversations as people, and as many peer sessions, of four messages each. */
async function betweenPeople(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TEMP TABLE pairs AS
    SELECT uuidv7() AS direct_id, uuidv7() AS session_id, id AS one, lead(id) OVER (ORDER BY id) AS other,
      row_number() OVER (ORDER BY id) AS n
    FROM users`);
  await runner.query(`DELETE FROM pairs WHERE other IS NULL OR n % 2 = 0`);
  await runner.query(`
    INSERT INTO conversations (id, kind, last_seq, last_rev, last_message_at)
    SELECT direct_id, 'direct', 4, 4, now() FROM pairs UNION ALL SELECT session_id, 'session', 4, 4, now() FROM pairs`);
  await runner.query(
    `INSERT INTO directs (id, people_key) SELECT direct_id, sha256(direct_id::text::bytea) FROM pairs`,
  );
  await runner.query(`
    INSERT INTO direct_participants (direct_id, user_id)
    SELECT direct_id, one FROM pairs UNION ALL SELECT direct_id, other FROM pairs`);
  await runner.query(`
    INSERT INTO sessions (id, owner_id, type, title, advocate_id)
    SELECT session_id, one, 'peer', 'A question', other FROM pairs`);
  await runner.query(`
    INSERT INTO messages (conversation_id, seq, id, rev, author_id, role, content)
    SELECT direct_id, nth, uuidv7(), nth, CASE nth % 2 WHEN 0 THEN one ELSE other END, 'user', 'between us ' || nth
    FROM pairs CROSS JOIN generate_series(1, 4) nth
    UNION ALL
    SELECT session_id, nth, uuidv7(), nth, CASE nth % 2 WHEN 0 THEN other ELSE one END,
      CASE nth % 2 WHEN 0 THEN 'peer' ELSE 'user' END, 'in the session ' || nth
    FROM pairs CROSS JOIN generate_series(1, 4) nth`);
}

/** Most have read nearly all; in every tenth room somebody has never been. */
async function reading(runner: QueryRunner): Promise<void> {
  await runner.query(`
    INSERT INTO read_markers (conversation_id, user_id, seq)
    SELECT c.id, m.user_id, greatest(0, c.last_seq - floor(200 * random() ^ 3)::int)
    FROM memberships m JOIN channels ch ON ch.server_id = m.server_id JOIN conversations c ON c.id = ch.id
    WHERE c.last_seq > 0 AND random() < 0.9`);
}

async function moderation(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TEMP TABLE kept AS SELECT server_id, user_id AS admin_id FROM memberships WHERE role = 'ADMIN'`);
  await runner.query(`
    INSERT INTO audit_log (id, server_id, actor_id, action, target_id)
    SELECT uuidv7(make_interval(mins => -n)), server_id, admin_id, 'message.pinned', admin_id
    FROM kept CROSS JOIN generate_series(1, 1000) n`);
  await runner.query(`
    INSERT INTO bans (server_id, user_id, banned_by)
    SELECT k.server_id, u.id, k.admin_id
    FROM kept k CROSS JOIN LATERAL (SELECT id FROM users WHERE k.server_id IS NOT NULL ORDER BY random() LIMIT 400) u
    WHERE NOT EXISTS (SELECT 1 FROM memberships m WHERE m.server_id = k.server_id AND m.user_id = u.id)`);
  await runner.query(`
    INSERT INTO invites (code, server_id, created_by)
    SELECT 'code-' || k.server_id || n, k.server_id, k.admin_id FROM kept k CROSS JOIN generate_series(1, 300) n`);
}

async function notifications(runner: QueryRunner): Promise<void> {
  await runner.query(`
    INSERT INTO server_notifications (server_id, user_id, level)
    SELECT server_id, user_id, 'all' FROM memberships WHERE random() < 0.3`);
  await runner.query(`
    INSERT INTO conversation_notifications (user_id, conversation_id, level)
    SELECT m.user_id, ch.id, 'none' FROM memberships m JOIN channels ch ON ch.server_id = m.server_id
    WHERE random() < 0.02`);
}
