import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import type { Question } from '../answerer.js';
import type { TakenReply } from './reply-store.js';

/** What an agent is shown of what was said before, at most; what of it fits its model is its own to decide. */
const HISTORY = 200;
/** Of UTF-8, as agents estimate it: what stands behind more of them than their budget has is never shown. */
const BYTES_OF_TOKEN = 4;

interface Said {
  id: string;
  role: 'user' | 'assistant';
  content: string;
}

/**
 * A reply comes after what was said while it was given, but answers what was asked before: each is put behind its
 * question. Behind the question to be answered now nothing is shown, so not the answer that is said again either. What
 * cannot fit beside the newer lines is left where it is: it would lie in memory for as long as the agent answers, 4 MB
 * for each of hundreds of replies.
 */
const SAID = `
  SELECT id, CASE role WHEN 'user' THEN 'user' ELSE 'assistant' END AS role, content FROM (
    SELECT said.*, sum(octet_length(content)) OVER (ORDER BY place DESC, is_answer DESC, seq DESC)
      - octet_length(content) AS behind
    FROM (
      SELECT m.id, m.role, m.content, m.seq, coalesce(question.seq, m.seq) AS place, m.role <> 'user' AS is_answer
      FROM messages m
      LEFT JOIN LATERAL (
        SELECT asked_id FROM replies reply
        WHERE reply.session_id = m.conversation_id AND reply.message_id = m.id ORDER BY reply.id LIMIT 1
      ) reply ON m.role = 'agent'
      LEFT JOIN messages question ON question.conversation_id = m.conversation_id AND question.id = reply.asked_id
      WHERE m.conversation_id = $1 AND m.deleted_at IS NULL AND m.role <> 'system'
      ORDER BY m.seq DESC LIMIT $3
    ) said
    WHERE (place, is_answer) <= (SELECT seq, false FROM messages WHERE conversation_id = $1 AND id = $2)
  ) line
  WHERE behind < (SELECT context_tokens * ${BYTES_OF_TOKEN} FROM agents WHERE id = $4)
  ORDER BY place, is_answer, seq`;

@Injectable()
export class ReplyQuestion {
  constructor(private readonly database: Database) {}

  /** Nothing where the message that asked is gone: nobody waits for an answer then. */
  async of(reply: TakenReply, agentId: string): Promise<Question | undefined> {
    const { sessionId, askedId, userId, username, id: replyId } = reply;
    const said = await this.database.query<Said>(SAID, [sessionId, askedId, HISTORY, agentId]);
    const last = said.at(-1);
    if (!last) return undefined;
    const isAsked = last.id === askedId || (last.role === 'user' && (await this.moveTo(last.id, reply)));
    if (!isAsked) return undefined;
    const history = said.map(({ role, content }) => ({ role, content }));
    return { agentId, sessionId, replyId, userId, username, messageId: last.id, history };
  }

  /** What was asked last is gone, and what was said before it waits as well: false where that had its reply. */
  private async moveTo(askedId: string, { sessionId, id, attempt }: TakenReply): Promise<boolean> {
    const moved = await this.database.query(
      `UPDATE replies SET asked_id = $4 WHERE session_id = $1 AND id = $2 AND status = 'running' AND attempts = $3
         AND NOT EXISTS (SELECT 1 FROM replies other WHERE other.session_id = $1 AND other.asked_id = $4) RETURNING 1`,
      [sessionId, id, attempt, askedId],
    );
    return moved.length > 0;
  }
}
