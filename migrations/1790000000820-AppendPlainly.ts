import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * In a channel or a direct conversation nothing goes with a message but its numbers: no session, thread, title or reply.
 * A batch of such messages that mention nobody is stored by a statement of its own, which saves PostgreSQL a third of its
 * work where sends come alone: it sets up each part of a statement before it knows that there is nothing to do.
 * Both judge by the same words in the same order. A room of another kind, come between two statements, is none here.
 */
export class AppendPlainly1790000000820 implements MigrationInterface {
  name = 'AppendPlainly1790000000820';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER FUNCTION append_messages(json) RENAME TO append_fully`);
    await runner.query(`
      CREATE FUNCTION append_messages(drafts json)
      RETURNS TABLE ("position" bigint, outcome text, id uuid, seq bigint, rev bigint, created_at timestamptz,
        owner_id uuid, advocate_id uuid, agent_id uuid, title text, reply_id uuid, mentions uuid[], joined boolean)
      LANGUAGE plpgsql SET enable_seqscan = off AS $$
      #variable_conflict use_column
      DECLARE
        plain boolean;
      BEGIN
        SELECT coalesce(bool_and(kind IN ('channel', 'direct')), true)
            AND NOT EXISTS (SELECT FROM json_array_elements(drafts) AS draft WHERE draft ->> 'mentionNames' IS NOT NULL)
          INTO plain
          FROM (
            SELECT kind FROM conversations
            WHERE id = ANY(ARRAY(SELECT (draft ->> 'conversationId')::uuid FROM json_array_elements(drafts) AS draft))
            ORDER BY id FOR NO KEY UPDATE
          ) room;
        IF NOT plain THEN
          RETURN QUERY SELECT * FROM append_fully(drafts);
          RETURN;
        END IF;

        RETURN QUERY
        WITH draft AS (
          SELECT * FROM ROWS FROM (json_to_recordset(drafts) AS (
            "conversationId" uuid, id uuid, "authorId" uuid, "agentId" uuid, role text, content text, metadata jsonb,
            "tokensUsed" integer, nonce text, "replyToId" uuid, attempt integer, "mentionsEveryone" boolean
          )) WITH ORDINALITY AS d (conversation_id, id, author_id, agent_id, role, content, metadata,
            tokens_used, nonce, reply_to_id, attempt, mentions_everyone, place)
        ), judged AS (
          SELECT draft.*, room.last_seq, room.last_rev, earlier.id AS earlier_id,
            CASE WHEN nonce IS NOT NULL THEN substring(sha256(convert_to(content, 'UTF8')) FOR 8) END AS sent_hash,
            CASE
              WHEN room.id IS NULL THEN 'not_found'
              WHEN earlier.same THEN 'repeated'
              WHEN earlier.id IS NOT NULL THEN 'nonce_reused'
              WHEN draft.attempt IS NOT NULL THEN 'reply_over'
              WHEN room.closed THEN 'closed'
              WHEN reply_to_id IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM messages target
                WHERE target.conversation_id = draft.conversation_id AND target.id = draft.reply_to_id
              ) THEN 'reply_not_found'
              ELSE 'stored'
            END AS outcome
          FROM draft
          LEFT JOIN LATERAL (
            SELECT id, closed, last_seq, last_rev FROM conversations
            WHERE id = draft.conversation_id AND kind IN ('channel', 'direct') LIMIT 1
          ) room ON true
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
            tokens_used, nonce, sent_hash, reply_to_id, mentions_everyone)
          SELECT conversation_id, last_seq + nth, id, last_rev + nth, author_id, agent_id, role, content, metadata,
            tokens_used, nonce, sent_hash, reply_to_id, mentions_everyone
          FROM numbered
          RETURNING messages.conversation_id, messages.id, messages.seq, messages.rev, messages.created_at
        ), counted AS (
          UPDATE conversations room
          SET last_seq = room.last_seq + batch.size, last_rev = room.last_rev + batch.size, last_message_at = now()
          FROM (SELECT conversation_id, count(*) AS size FROM numbered GROUP BY conversation_id) batch
          WHERE room.id = batch.conversation_id
        )
        SELECT judged.place, judged.outcome, coalesce(stored.id, judged.earlier_id), stored.seq, stored.rev,
          stored.created_at, NULL::uuid, NULL::uuid, NULL::uuid, NULL::text, NULL::uuid, NULL::uuid[], false
        FROM judged
        LEFT JOIN stored ON stored.conversation_id = judged.conversation_id AND stored.id = judged.id;
      END $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP FUNCTION append_messages(json)`);
    await runner.query(`ALTER FUNCTION append_fully(json) RENAME TO append_messages`);
  }
}
