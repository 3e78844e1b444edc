import type { MigrationInterface, QueryRunner } from 'typeorm';

export class StoreMentions1790000000502 implements MigrationInterface {
  name = 'StoreMentions1790000000502';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP FUNCTION append_messages`);
    await createAppend(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP FUNCTION append_messages`);
    await createEarlierAppend(runner);
  }
}

/**
 * append_messages(drafts) stores a batch in one round trip and one commit. It judges each draft by itself, so
 * that none fails another: stored, repeated, nonce_reused, not_found, reply_over, closed or reply_not_found. The
 * rooms are locked first and in one order, then the replies that end here; the statement after that has a newer
 * snapshot, which is why a function and not one statement: it sees what another node stored, and who was let in or
 * out of a session, while this one waited.
 *
 * What a person says in an open agent session asks for a reply: under the draft's replyId, or by moving the question
 * of the one that waits already. A draft with an attempt is the reply replyId itself: it is stored only while that
 * attempt runs, and ends it. In a session the answer also says whose it is now, for the audience, and its title where
 * this message gave it one.
 * Who is named is looked up as the message is stored, among those who can see it at that moment. Who writes in a thread
 * takes part in it from then on (`joined`: since this batch).
 * A batch must not hold the same author and nonce, or the same ending reply, twice.
 */
async function createAppend(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE FUNCTION append_messages(drafts json)
    RETURNS TABLE ("position" bigint, outcome text, id uuid, seq bigint, rev bigint, created_at timestamptz,
      owner_id uuid, advocate_id uuid, agent_id uuid, title text, reply_id uuid, mentions uuid[], joined boolean)
    LANGUAGE plpgsql AS $$
    #variable_conflict use_column
    BEGIN
      PERFORM 1 FROM conversations
        WHERE id IN (SELECT (draft ->> 'conversationId')::uuid FROM json_array_elements(drafts) AS draft)
        ORDER BY id FOR NO KEY UPDATE;
      PERFORM 1 FROM replies
        WHERE (session_id, id) IN (
          SELECT (draft ->> 'conversationId')::uuid, (draft ->> 'replyId')::uuid
          FROM json_array_elements(drafts) AS draft WHERE draft ->> 'attempt' IS NOT NULL)
        ORDER BY session_id, id FOR UPDATE;

      RETURN QUERY
      WITH draft AS (
        SELECT * FROM ROWS FROM (json_to_recordset(drafts) AS (
          "conversationId" uuid, id uuid, "authorId" uuid, "agentId" uuid, role text, content text, metadata jsonb,
          "tokensUsed" integer, nonce text, "replyToId" uuid, "replyId" uuid, attempt integer, "replyStatus" text,
          "mentionNames" jsonb, "mentionServerId" uuid, "mentionUserIds" uuid[], "mentionsEveryone" boolean
        )) WITH ORDINALITY AS d (conversation_id, id, author_id, agent_id, role, content, metadata,
          tokens_used, nonce, reply_to_id, reply_id, attempt, reply_status, mention_names, mention_server_id,
          mention_user_ids, mentions_everyone, place)
      ), judged AS (
        SELECT draft.*, room.kind, room.last_seq, room.last_rev, earlier.id AS earlier_id,
          session.owner_id, session.advocate_id, session.agent_id AS session_agent_id,
          CASE WHEN room.kind = 'session' THEN session.type END AS session_type,
          session.title AS earlier_title,
          CASE WHEN nonce IS NOT NULL THEN substring(sha256(convert_to(content, 'UTF8')) FOR 8) END AS sent_hash,
          CASE
            WHEN room.id IS NULL THEN 'not_found'
            WHEN session.id IS NOT NULL AND (
              CASE draft.role
                WHEN 'user' THEN session.owner_id = draft.author_id
                WHEN 'peer' THEN session.advocate_id = draft.author_id
                WHEN 'agent' THEN session.type = 'agent' AND session.agent_id = draft.agent_id
                ELSE true
              END) IS NOT TRUE THEN 'not_found'
            WHEN earlier.same THEN 'repeated'
            WHEN earlier.id IS NOT NULL THEN 'nonce_reused'
            WHEN draft.attempt IS NOT NULL AND NOT EXISTS (
              SELECT 1 FROM replies running
              WHERE running.session_id = draft.conversation_id AND running.id = draft.reply_id
                AND running.status = 'running' AND running.attempts = draft.attempt
            ) THEN 'reply_over'
            WHEN room.closed AND draft.attempt IS NULL THEN 'closed'
            WHEN reply_to_id IS NOT NULL AND NOT EXISTS (
              SELECT 1 FROM messages target
              WHERE target.conversation_id = draft.conversation_id AND target.id = draft.reply_to_id
            ) THEN 'reply_not_found'
            ELSE 'stored'
          END AS outcome
        FROM draft
        LEFT JOIN conversations room ON room.id = draft.conversation_id
        LEFT JOIN threads thread ON thread.id = draft.conversation_id AND room.kind = 'thread'
        LEFT JOIN sessions session ON session.id = coalesce(thread.parent_id, draft.conversation_id)
        LEFT JOIN LATERAL (
          SELECT m.id, m.sent_hash IS NULL
              OR m.sent_hash = substring(sha256(convert_to(draft.content, 'UTF8')) FOR 8) AS same
          FROM messages m
          WHERE m.conversation_id = draft.conversation_id AND m.author_id = draft.author_id
            AND m.nonce = draft.nonce
          UNION ALL
          SELECT m.id, true
          FROM messages m
          WHERE m.conversation_id = draft.conversation_id AND m.agent_id = draft.agent_id
            AND m.nonce = draft.nonce
          LIMIT 1
        ) earlier ON draft.nonce IS NOT NULL
      ), numbered AS (
        SELECT judged.*, row_number() OVER (PARTITION BY conversation_id ORDER BY place) AS nth,
          CASE WHEN mention_names IS NOT NULL THEN
            resolve_mentions(mention_names, mention_server_id, mention_user_ids) END AS mentions
        FROM judged WHERE outcome = 'stored'
      ), stored AS (
        INSERT INTO messages (conversation_id, seq, id, rev, author_id, agent_id, role, content, metadata,
          tokens_used, nonce, sent_hash, reply_to_id, mentions, mentions_everyone)
        SELECT conversation_id, last_seq + nth, id, last_rev + nth, author_id, agent_id, role, content, metadata,
          tokens_used, nonce, sent_hash, reply_to_id, mentions, mentions_everyone
        FROM numbered
        RETURNING messages.conversation_id, messages.id, messages.seq, messages.rev, messages.created_at,
          messages.mentions
      ), mentioned AS (
        INSERT INTO mentions (conversation_id, seq, user_id)
        SELECT conversation_id, last_seq + nth, person.id
        FROM numbered JOIN users person ON person.id = ANY(numbered.mentions)
        WHERE numbered.mentions IS NOT NULL AND person.id IS DISTINCT FROM author_id
        FOR KEY SHARE OF person
      ), joined AS (
        INSERT INTO thread_participants (thread_id, user_id)
        SELECT DISTINCT conversation_id, author_id FROM numbered WHERE kind = 'thread' AND author_id IS NOT NULL
        ON CONFLICT DO NOTHING
        RETURNING thread_id, user_id
      ), counted AS (
        UPDATE conversations room
        SET last_seq = room.last_seq + batch.size, last_rev = room.last_rev + batch.size, last_message_at = now()
        FROM (SELECT conversation_id, count(*) AS size FROM numbered GROUP BY conversation_id) batch
        WHERE room.id = batch.conversation_id
      ), active AS (
        UPDATE sessions session
        SET active_at = now(), title = coalesce(session.title, first_words.title)
        FROM (
          SELECT DISTINCT ON (conversation_id) conversation_id, CASE WHEN role = 'user' THEN
            CASE WHEN length(plain) > 60 THEN left(plain, 59) || '…' ELSE plain END END AS title
          FROM numbered, LATERAL (SELECT btrim(regexp_replace(left(content, 200), '\\s+', ' ', 'g')) AS plain) line
          WHERE session_type IS NOT NULL
          ORDER BY conversation_id, role <> 'user', nth
        ) first_words
        WHERE session.id = first_words.conversation_id
        RETURNING session.id, session.title
      ), asked AS (
        INSERT INTO replies AS reply (session_id, id, asked_id)
        SELECT DISTINCT ON (conversation_id) conversation_id, reply_id, numbered.id
        FROM numbered JOIN agents agent ON agent.id = session_agent_id AND agent.enabled
        WHERE role = 'user' AND session_type = 'agent' AND reply_id IS NOT NULL
        ORDER BY conversation_id, nth DESC
        ON CONFLICT (session_id) WHERE status = 'waiting'
          DO UPDATE SET asked_id = excluded.asked_id, replaces_id = NULL
        RETURNING reply.session_id, reply.id
      ), ended AS (
        UPDATE replies reply
        SET status = reply_status, message_id = numbered.id, text = '', tokens_used = coalesce(numbered.tokens_used, 0),
          node = NULL, leased_until = NULL, ended_at = now()
        FROM numbered
        WHERE numbered.attempt IS NOT NULL AND reply.session_id = conversation_id AND reply.id = reply_id
      )
      SELECT judged.place, judged.outcome, coalesce(stored.id, judged.earlier_id), stored.seq, stored.rev,
        stored.created_at, judged.owner_id, judged.advocate_id, judged.session_agent_id,
        CASE WHEN judged.earlier_title IS NULL AND stored.id IS NOT NULL THEN active.title END, asked.id,
        stored.mentions, joined.user_id IS NOT NULL
      FROM judged
      LEFT JOIN stored ON stored.conversation_id = judged.conversation_id AND stored.id = judged.id
      LEFT JOIN active ON active.id = judged.conversation_id
      LEFT JOIN asked ON asked.session_id = judged.conversation_id AND judged.role = 'user'
      LEFT JOIN joined ON joined.thread_id = judged.conversation_id AND joined.user_id = judged.author_id;
    END $$`);
}

async function createEarlierAppend(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE FUNCTION append_messages(drafts json)
    RETURNS TABLE ("position" bigint, outcome text, id uuid, seq bigint, rev bigint, created_at timestamptz,
      owner_id uuid, advocate_id uuid, agent_id uuid, title text, reply_id uuid)
    LANGUAGE plpgsql AS $$
    #variable_conflict use_column
    BEGIN
      PERFORM 1 FROM conversations
        WHERE id IN (SELECT (draft ->> 'conversationId')::uuid FROM json_array_elements(drafts) AS draft)
        ORDER BY id FOR NO KEY UPDATE;
      PERFORM 1 FROM replies
        WHERE (session_id, id) IN (
          SELECT (draft ->> 'conversationId')::uuid, (draft ->> 'replyId')::uuid
          FROM json_array_elements(drafts) AS draft WHERE draft ->> 'attempt' IS NOT NULL)
        ORDER BY session_id, id FOR UPDATE;

      RETURN QUERY
      WITH draft AS (
        SELECT * FROM ROWS FROM (json_to_recordset(drafts) AS (
          "conversationId" uuid, id uuid, "authorId" uuid, "agentId" uuid, role text, content text, metadata jsonb,
          "tokensUsed" integer, nonce text, "replyToId" uuid, "replyId" uuid, attempt integer, "replyStatus" text
        )) WITH ORDINALITY AS d (conversation_id, id, author_id, agent_id, role, content, metadata,
          tokens_used, nonce, reply_to_id, reply_id, attempt, reply_status, place)
      ), judged AS (
        SELECT draft.*, room.last_seq, room.last_rev, earlier.id AS earlier_id,
          session.owner_id, session.advocate_id, session.agent_id AS session_agent_id, session.type AS session_type,
          session.title AS earlier_title,
          CASE WHEN nonce IS NOT NULL THEN substring(sha256(convert_to(content, 'UTF8')) FOR 8) END AS sent_hash,
          CASE
            WHEN room.id IS NULL THEN 'not_found'
            WHEN room.kind = 'session' AND (
              CASE draft.role
                WHEN 'user' THEN session.owner_id = draft.author_id
                WHEN 'peer' THEN session.advocate_id = draft.author_id
                WHEN 'agent' THEN session.type = 'agent' AND session.agent_id = draft.agent_id
                ELSE true
              END) IS NOT TRUE THEN 'not_found'
            WHEN earlier.same THEN 'repeated'
            WHEN earlier.id IS NOT NULL THEN 'nonce_reused'
            WHEN draft.attempt IS NOT NULL AND NOT EXISTS (
              SELECT 1 FROM replies running
              WHERE running.session_id = draft.conversation_id AND running.id = draft.reply_id
                AND running.status = 'running' AND running.attempts = draft.attempt
            ) THEN 'reply_over'
            WHEN room.closed AND draft.attempt IS NULL THEN 'closed'
            WHEN reply_to_id IS NOT NULL AND NOT EXISTS (
              SELECT 1 FROM messages target
              WHERE target.conversation_id = draft.conversation_id AND target.id = draft.reply_to_id
            ) THEN 'reply_not_found'
            ELSE 'stored'
          END AS outcome
        FROM draft
        LEFT JOIN conversations room ON room.id = draft.conversation_id
        LEFT JOIN sessions session ON session.id = draft.conversation_id
        LEFT JOIN LATERAL (
          SELECT m.id, m.sent_hash IS NULL
              OR m.sent_hash = substring(sha256(convert_to(draft.content, 'UTF8')) FOR 8) AS same
          FROM messages m
          WHERE m.conversation_id = draft.conversation_id AND m.author_id = draft.author_id
            AND m.nonce = draft.nonce
          UNION ALL
          SELECT m.id, true
          FROM messages m
          WHERE m.conversation_id = draft.conversation_id AND m.agent_id = draft.agent_id
            AND m.nonce = draft.nonce
          LIMIT 1
        ) earlier ON draft.nonce IS NOT NULL
      ), numbered AS (
        SELECT judged.*, row_number() OVER (PARTITION BY conversation_id ORDER BY place) AS nth
        FROM judged WHERE outcome = 'stored'
      ), stored AS (
        INSERT INTO messages (conversation_id, seq, id, rev, author_id, agent_id, role, content, metadata,
          tokens_used, nonce, sent_hash, reply_to_id)
        SELECT conversation_id, last_seq + nth, id, last_rev + nth, author_id, agent_id, role, content, metadata,
          tokens_used, nonce, sent_hash, reply_to_id
        FROM numbered
        RETURNING messages.conversation_id, messages.id, messages.seq, messages.rev, messages.created_at
      ), counted AS (
        UPDATE conversations room
        SET last_seq = room.last_seq + batch.size, last_rev = room.last_rev + batch.size, last_message_at = now()
        FROM (SELECT conversation_id, count(*) AS size FROM numbered GROUP BY conversation_id) batch
        WHERE room.id = batch.conversation_id
      ), active AS (
        UPDATE sessions session
        SET active_at = now(), title = coalesce(session.title, first_words.title)
        FROM (
          SELECT DISTINCT ON (conversation_id) conversation_id, CASE WHEN role = 'user' THEN
            CASE WHEN length(plain) > 60 THEN left(plain, 59) || '…' ELSE plain END END AS title
          FROM numbered, LATERAL (SELECT btrim(regexp_replace(left(content, 200), '\\s+', ' ', 'g')) AS plain) line
          WHERE session_type IS NOT NULL
          ORDER BY conversation_id, role <> 'user', nth
        ) first_words
        WHERE session.id = first_words.conversation_id
        RETURNING session.id, session.title
      ), asked AS (
        INSERT INTO replies AS reply (session_id, id, asked_id)
        SELECT DISTINCT ON (conversation_id) conversation_id, reply_id, numbered.id
        FROM numbered JOIN agents agent ON agent.id = session_agent_id AND agent.enabled
        WHERE role = 'user' AND session_type = 'agent' AND reply_id IS NOT NULL
        ORDER BY conversation_id, nth DESC
        ON CONFLICT (session_id) WHERE status = 'waiting'
          DO UPDATE SET asked_id = excluded.asked_id, replaces_id = NULL
        RETURNING reply.session_id, reply.id
      ), ended AS (
        UPDATE replies reply
        SET status = reply_status, message_id = numbered.id, text = '', tokens_used = coalesce(numbered.tokens_used, 0),
          node = NULL, leased_until = NULL, ended_at = now()
        FROM numbered
        WHERE numbered.attempt IS NOT NULL AND reply.session_id = conversation_id AND reply.id = reply_id
      )
      SELECT judged.place, judged.outcome, coalesce(stored.id, judged.earlier_id), stored.seq, stored.rev,
        stored.created_at, judged.owner_id, judged.advocate_id, judged.session_agent_id,
        CASE WHEN judged.earlier_title IS NULL AND stored.id IS NOT NULL THEN active.title END, asked.id
      FROM judged
      LEFT JOIN stored ON stored.conversation_id = judged.conversation_id AND stored.id = judged.id
      LEFT JOIN active ON active.id = judged.conversation_id
      LEFT JOIN asked ON asked.session_id = judged.conversation_id AND judged.role = 'user';
    END $$`);
}
