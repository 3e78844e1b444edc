import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';

/** How long others believe a node that says nothing. */
const LEASE = `interval '60 seconds'`;

/** A reply that this node has taken up. */
export interface RunningReply {
  id: string;
  sessionId: string;
  askedId: string;
  agentId: string | null;
  userId: string;
  username: string;
  /** The number of this attempt; whoever takes the reply up after us has a higher one. */
  attempt: number;
  /** Whether it may be answered still. */
  open: boolean;
  enabled: boolean;
}

/** The jobs of the agents, in PostgreSQL. What ends one well is MessagesService.append. */
@Injectable()
export class ReplyStore {
  constructor(private readonly database: Database) {}

  /**
   * Takes up replies that wait in sessions where none runs, and those of nodes that are gone. Of two nodes that ask at
   * once each gets its own.
   */
  claim(limit: number): Promise<RunningReply[]> {
    return this.database.prepared<RunningReply>(
      `WITH due AS (
         SELECT session_id, id FROM replies waiting
         WHERE status = 'waiting' AND NOT EXISTS (
             SELECT 1 FROM replies other WHERE other.session_id = waiting.session_id AND other.status = 'running')
           OR status = 'running' AND leased_until < now()
         ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
       )
       UPDATE replies reply
       SET status = 'running', attempts = attempts + 1, leased_until = now() + ${LEASE},
         started_at = coalesce(started_at, now())
       FROM due JOIN sessions session ON session.id = due.session_id JOIN users owner ON owner.id = session.owner_id
         LEFT JOIN agents agent ON agent.id = session.agent_id
       WHERE reply.session_id = due.session_id AND reply.id = due.id
       RETURNING reply.id, reply.session_id AS "sessionId", asked_id AS "askedId", session.agent_id AS "agentId",
         owner.id AS "userId", owner.username,
         attempts AS attempt, session.type = 'agent' AND session.status = 'open' AS open,
         coalesce(agent.enabled, false) AS enabled`,
      [limit],
    );
  }

  /** Ends an attempt without a message, unless somebody else has taken the reply up. */
  async fail({ sessionId, id, attempt }: RunningReply, error: string): Promise<void> {
    await this.database.query(
      `UPDATE replies SET status = 'failed', error = $4, leased_until = NULL, ended_at = now()
       WHERE session_id = $1 AND id = $2 AND status = 'running' AND attempts = $3`,
      [sessionId, id, attempt, error],
    );
  }
}
