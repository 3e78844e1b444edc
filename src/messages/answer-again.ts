import { Injectable } from '@nestjs/common';
import type { AnsweringAgent } from '../access/pass.js';
import { Problem } from '../platform/http/problem.js';
import { MessageChanges } from './message-changes.js';
import type { MessageView } from './message.presenter.js';
import { MessageUpdated } from './messages.events.js';

export interface NewAnswer {
  content: string;
  metadata: Record<string, unknown>;
  tokensUsed: number;
  /** The reply that ends with it, in the same commit. */
  reply: { id: string; attempt: number; status: 'done' | 'stopped' };
}

/** Lets an agent say something again, in the place of what it said before. */
@Injectable()
export class AnswerAgain {
  constructor(private readonly changes: MessageChanges) {}

  /**
   * Keeps the earlier answer as a revision, and ends the reply. Throws 409 `reply_over` where this attempt is not the
   * one that runs, `message_deleted` where the earlier answer is gone, 404 where it is no longer this agent's session.
   */
  async instead(agent: AnsweringAgent, messageId: string, answer: NewAnswer): Promise<MessageView> {
    const { content, metadata, tokensUsed, reply } = answer;
    return this.changes.one(agent, messageId, MessageUpdated, async (tx, message) => {
      if (message.content === null) throw Problem.conflict('message_deleted', 'This message is deleted.');
      const ended = await tx.one(
        `UPDATE replies SET status = $4, message_id = $5, text = '', tokens_used = $6, node = NULL, leased_until = NULL,
           ended_at = now()
         WHERE session_id = $1 AND id = $2 AND status = 'running' AND attempts = $3 RETURNING id`,
        [agent.room.id, reply.id, reply.attempt, reply.status, messageId, tokensUsed],
      );
      if (!ended) throw Problem.conflict('reply_over', 'This reply has ended, or is given by somebody else.');
      const key = [agent.room.id, messageId];
      await tx.query(
        `INSERT INTO message_revisions (conversation_id, message_id, rev, content, created_at)
         SELECT conversation_id, id, rev, content, coalesce(edited_at, created_at)
         FROM messages WHERE conversation_id = $1 AND id = $2`,
        key,
      );
      await tx.query(
        `UPDATE messages SET content = $3, metadata = $4, tokens_used = $5, edited_at = now()
         WHERE conversation_id = $1 AND id = $2`,
        [...key, content, metadata, tokensUsed],
      );
      return true;
    });
  }
}
