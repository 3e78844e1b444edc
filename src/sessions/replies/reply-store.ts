import { Injectable } from '@nestjs/common';
import { arrayAt, Database } from '../../platform/database/database.js';
import { nodeLives, NodeLock } from '../../platform/database/node-lock.js';
import type { Tx } from '../../platform/database/unit-of-work.js';

/** How long others believe a node that says nothing: one that hangs, since one that is gone is seen by its lock. */
const LEASE = `interval '15 seconds'`;

/** How many replies of one person run at once, on all nodes. */
const SHARE = 256;

/** A reply that this node has taken up. */
export interface TakenReply {
  id: string;
  sessionId: string;
  askedId: string;
  /** Said again: the answer that stands there. */
  replacesId: string | null;
  agentId: string | null;
  userId: string;
  username: string;
  /** The number of this attempt; whoever takes the reply up after us has a higher one. */
  attempt: number;
  stopRequested: boolean;
  /** What an earlier attempt left. */
  text: string;
  /** Whether it may be answered still. */
  open: boolean;
  enabled: boolean;
}

export interface Beat {
  sessionId: string;
  id: string;
  attempt: number;
  /** Null where nothing was added. */
  text: string | null;
}

/** What runs in the session `$1` and what waits, in this order: two small indexes, however many replies it has had. */
const UNDER_WAY = `
  SELECT id FROM replies WHERE session_id = $1 AND status = 'running'
  UNION ALL SELECT id FROM replies WHERE session_id = $1 AND status = 'waiting'`;

const TAKE = `
  UPDATE replies reply
  SET status = 'running', attempts = attempts + 1, node = $1, leased_until = now() + ${LEASE},
    started_at = coalesce(started_at, now())
  FROM due JOIN sessions session ON session.id = due.session_id JOIN users owner ON owner.id = session.owner_id
    LEFT JOIN agents agent ON agent.id = session.agent_id
  WHERE reply.session_id = due.session_id AND reply.id = due.id
  RETURNING reply.id, reply.session_id AS "sessionId", asked_id AS "askedId", replaces_id AS "replacesId",
    session.agent_id AS "agentId", owner.id AS "userId", owner.username, attempts AS attempt,
    stop_requested AS "stopRequested", reply.text, session.type = 'agent' AND session.status = 'open' AS open,
    coalesce(agent.enabled, false) AS enabled`;

/** The jobs of the agents, in PostgreSQL, as a node works on them. What ends one well is the message code. */
@Injectable()
export class ReplyStore {
  constructor(
    private readonly database: Database,
    private readonly self: NodeLock,
  ) {}

  /**
   * Takes up what waits in sessions where nothing runs, of nobody more than their share, so that one person's replies
   * keep nobody else's waiting. Of two nodes that ask at once each gets its own.
   */
  claim(limit: number): Promise<TakenReply[]> {
    return this.database.prepared<TakenReply>(
      `WITH busy AS (
         SELECT owner_id, count(*) AS running FROM replies JOIN sessions ON sessions.id = session_id
         WHERE replies.status = 'running' GROUP BY owner_id
       ), next AS (
         SELECT session_id, waiting.id,
           coalesce(running, 0) + row_number() OVER (PARTITION BY owner_id ORDER BY waiting.id) AS nth
         FROM replies waiting JOIN sessions ON sessions.id = session_id LEFT JOIN busy USING (owner_id)
         WHERE waiting.status = 'waiting' AND NOT EXISTS (
           SELECT 1 FROM replies other WHERE other.session_id = waiting.session_id AND other.status = 'running')
       ), due AS (
         SELECT session_id, id FROM replies
         WHERE status = 'waiting' AND (session_id, id) IN (SELECT session_id, id FROM next WHERE nth <= $3)
         ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
       ) ${TAKE}`,
      [this.self.node, limit, SHARE],
    );
  }

  /**
   * Takes over what nodes have left that are gone, or that have not been heard of for too long; of our own that is not
   * what we are `giving`, which only the database has not heard of.
   */
  takeOver(limit: number, giving: string[]): Promise<TakenReply[]> {
    return this.database.prepared<TakenReply>(
      `WITH due AS (
         SELECT session_id, id FROM replies running
         WHERE status = 'running' AND (leased_until < now() OR node <> $1 AND NOT ${nodeLives('node')})
           AND NOT (node = $1 AND id = ANY(${arrayAt(3)}))
         ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
       ) ${TAKE}`,
      [this.self.node, limit, giving],
    );
  }

  /**
   * Renews the leases and keeps what was said. Gives for each whether it is still this attempt that runs, whether it was
   * kept, and whether somebody wants it stopped. It waits for no lock: what somebody else changes at this moment is left
   * for the next time.
   */
  beat(beats: Beat[]): Promise<{ id: string; ours: boolean; wasKept: boolean; stopRequested: boolean }[]> {
    return this.database.prepared(
      `WITH beat AS (
         SELECT * FROM json_to_recordset($1) AS b("sessionId" uuid, id uuid, attempt integer, text text)
       ), ours AS (
         SELECT reply.session_id, reply.id, beat.text
         FROM replies reply JOIN beat ON reply.session_id = beat."sessionId" AND reply.id = beat.id
         WHERE reply.status = 'running' AND reply.attempts = beat.attempt
         FOR UPDATE OF reply SKIP LOCKED
       ), kept AS (
         UPDATE replies reply SET leased_until = now() + ${LEASE}, text = coalesce(ours.text, reply.text)
         FROM ours WHERE reply.session_id = ours.session_id AND reply.id = ours.id
         RETURNING reply.id
       )
       SELECT beat.id, coalesce(reply.status = 'running' AND reply.attempts = beat.attempt, false) AS ours,
         EXISTS (SELECT 1 FROM kept WHERE kept.id = beat.id) AS "wasKept",
         coalesce(reply.stop_requested, false) AS "stopRequested"
       FROM beat LEFT JOIN replies reply ON reply.session_id = beat."sessionId" AND reply.id = beat.id`,
      [JSON.stringify(beats)],
    );
  }

  /** Ends an attempt without a message; its text stays. False where it was not this attempt that ran. */
  async end(
    { sessionId, id, attempt }: TakenReply,
    status: 'failed' | 'stopped',
    error: string | null,
    text: string,
  ): Promise<boolean> {
    const ended = await this.database.query(
      `UPDATE replies SET status = $4, error = $5, text = CASE WHEN $6 = '' THEN text ELSE $6 END, node = NULL,
         leased_until = NULL, ended_at = now()
       WHERE session_id = $1 AND id = $2 AND status = 'running' AND attempts = $3 RETURNING id`,
      [sessionId, id, attempt, status, error, text],
    );
    return ended.length > 0;
  }

  /** Whether it was this attempt that ended so. */
  async hasEnded({ sessionId, id, attempt }: TakenReply, status: 'done' | 'stopped' | 'failed'): Promise<boolean> {
    const ended = await this.database.query(
      `SELECT 1 FROM replies WHERE session_id = $1 AND id = $2 AND attempts = $3 AND status = $4`,
      [sessionId, id, attempt, status],
    );
    return ended.length > 0;
  }

  /** Lets go of what this node runs, for whoever takes it up next. */
  async handBack(): Promise<void> {
    await this.database.query(`UPDATE replies SET leased_until = now() WHERE status = 'running' AND node = $1`, [
      this.self.node,
    ]);
  }

  /**
   * Asks for the reply that runs to be stopped, or else ends the one that waits. Gives which, and how it then stands.
   */
  async stop(tx: Tx, sessionId: string): Promise<{ id: string; status: 'running' | 'stopped' } | undefined> {
    return tx.one(
      `UPDATE replies SET stop_requested = true, status = CASE status WHEN 'waiting' THEN 'stopped' ELSE status END,
         ended_at = CASE status WHEN 'waiting' THEN now() END
       WHERE session_id = $1 AND status IN ('waiting', 'running') AND id = (${UNDER_WAY} LIMIT 1)
       RETURNING id, status`,
      [sessionId],
    );
  }

  /** The one that waits, or else the one that runs. */
  async underWay(tx: Tx, sessionId: string): Promise<string | undefined> {
    const ids = await tx.query<{ id: string }>(UNDER_WAY, [sessionId]);
    return ids.at(-1)?.id;
  }

  /** The agent has no say in this session any more: ends what runs and waits, and keeps what was said so far. */
  async silence(tx: Tx, sessionId: string): Promise<string[]> {
    const silenced = await tx.query<{ id: string }>(
      `UPDATE replies SET status = 'stopped', node = NULL, leased_until = NULL, ended_at = now()
       WHERE session_id = $1 AND status IN ('waiting', 'running') AND id IN (${UNDER_WAY}) RETURNING id`,
      [sessionId],
    );
    return silenced.map(({ id }) => id);
  }
}
