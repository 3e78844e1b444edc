import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateMessages1790000000006 implements MigrationInterface {
  name = 'CreateMessages1790000000006';

  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner);
    await createIndexes(runner);
    await createAppend(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP FUNCTION append_messages`);
    await runner.query(`DROP TABLE message_revisions`);
    await runner.query(`DROP TABLE messages`);
    await runner.query(`UPDATE conversations SET last_seq = 0, last_rev = 0, cleared_seq = 0, last_message_at = NULL`);
  }
}

async function createTables(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE messages (
      conversation_id uuid NOT NULL,
      seq bigint NOT NULL,
      id uuid NOT NULL,
      rev bigint NOT NULL,
      author_id uuid,
      agent_id uuid,
      role text NOT NULL,
      content text,
      metadata jsonb,
      tokens_used integer,
      nonce text,
      sent_hash bytea,
      reply_to_id uuid,
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      edited_at timestamptz(3),
      deleted_at timestamptz(3),
      PRIMARY KEY (conversation_id, seq),
      CONSTRAINT messages_role CHECK (role IN ('user', 'agent', 'peer', 'system')),
      CONSTRAINT messages_deleted CHECK ((content IS NULL) = (deleted_at IS NOT NULL)),
      CONSTRAINT messages_rev CHECK (rev >= seq AND seq > 0),
      CONSTRAINT messages_conversation_fk
        FOREIGN KEY (conversation_id) REFERENCES conversations (id) ON DELETE CASCADE,
      CONSTRAINT messages_author_fk FOREIGN KEY (author_id) REFERENCES users (id) ON DELETE SET NULL,
      CONSTRAINT messages_agent_fk FOREIGN KEY (agent_id) REFERENCES agents (id) ON DELETE SET NULL
    )`);
  await runner.query(`CREATE UNIQUE INDEX messages_id_key ON messages (conversation_id, id)`);
  await runner.query(`
    ALTER TABLE messages ADD CONSTRAINT messages_reply_fk
      FOREIGN KEY (conversation_id, reply_to_id) REFERENCES messages (conversation_id, id)`);
  await runner.query(`
    CREATE TABLE message_revisions (
      conversation_id uuid NOT NULL,
      message_id uuid NOT NULL,
      rev bigint NOT NULL,
      content text NOT NULL,
      created_at timestamptz(3) NOT NULL,
      PRIMARY KEY (conversation_id, message_id, rev),
      CONSTRAINT message_revisions_message_fk
        FOREIGN KEY (conversation_id, message_id) REFERENCES messages (conversation_id, id) ON DELETE CASCADE
    )`);
}

async function createIndexes(runner: QueryRunner): Promise<void> {
  await runner.query(`CREATE UNIQUE INDEX messages_rev_key ON messages (conversation_id, rev)`);
  await runner.query(`
    CREATE UNIQUE INDEX messages_nonce_key ON messages (conversation_id, author_id, nonce) WHERE nonce IS NOT NULL`);
  await runner.query(`
    CREATE UNIQUE INDEX messages_agent_nonce_key ON messages (conversation_id, agent_id, nonce)
      WHERE nonce IS NOT NULL AND agent_id IS NOT NULL`);
  await runner.query(`CREATE INDEX messages_author ON messages (author_id) WHERE author_id IS NOT NULL`);
  await runner.query(`CREATE INDEX messages_agent ON messages (agent_id) WHERE agent_id IS NOT NULL`);
  await runner.query(`
    CREATE INDEX messages_reply ON messages (conversation_id, reply_to_id) WHERE reply_to_id IS NOT NULL`);
}

/**
 * append_messages(drafts) stores a batch in one round trip and one commit. It judges each draft by itself, so
 * that none fails another: stored, repeated, nonce_reused, not_found, closed or reply_not_found. The rooms are
 * locked first and in one order; the statement after that has a newer snapshot, which is why a function and not
 * one statement: it sees what another node stored under the same nonce while this one waited.
 * A batch must not hold the same author and nonce twice.
 */
async function createAppend(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE FUNCTION append_messages(drafts json)
    RETURNS TABLE ("position" bigint, outcome text, id uuid, seq bigint, rev bigint, created_at timestamptz)
    LANGUAGE plpgsql AS $$
    #variable_conflict use_column
    BEGIN
      PERFORM 1 FROM conversations
        WHERE id IN (SELECT (draft ->> 'conversationId')::uuid FROM json_array_elements(drafts) AS draft)
        ORDER BY id FOR NO KEY UPDATE;

      RETURN QUERY
      WITH draft AS (
        SELECT * FROM ROWS FROM (json_to_recordset(drafts) AS (
          "conversationId" uuid, id uuid, "authorId" uuid, "agentId" uuid, role text, content text, metadata jsonb,
          "tokensUsed" integer, nonce text, "replyToId" uuid
        )) WITH ORDINALITY AS d (conversation_id, id, author_id, agent_id, role, content, metadata,
          tokens_used, nonce, reply_to_id, place)
      ), judged AS (
        SELECT draft.*, room.last_seq, room.last_rev, earlier.id AS earlier_id,
          CASE WHEN nonce IS NOT NULL THEN substring(sha256(convert_to(content, 'UTF8')) FOR 8) END AS sent_hash,
          CASE
            WHEN room.id IS NULL THEN 'not_found'
            WHEN earlier.same THEN 'repeated'
            WHEN earlier.id IS NOT NULL THEN 'nonce_reused'
            WHEN room.closed THEN 'closed'
            WHEN reply_to_id IS NOT NULL AND NOT EXISTS (
              SELECT 1 FROM messages target
              WHERE target.conversation_id = draft.conversation_id AND target.id = draft.reply_to_id
            ) THEN 'reply_not_found'
            ELSE 'stored'
          END AS outcome
        FROM draft
        LEFT JOIN conversations room ON room.id = draft.conversation_id
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
      )
      SELECT judged.place, judged.outcome, coalesce(stored.id, judged.earlier_id), stored.seq, stored.rev,
        stored.created_at
      FROM judged
      LEFT JOIN stored ON stored.conversation_id = judged.conversation_id AND stored.id = judged.id;
    END $$`);
}
