import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import type { Reader, Writer } from '../../access/pass.js';
import { ConversationUpdated } from '../../conversations/conversations.events.js';
import { Database } from '../../platform/database/database.js';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work.js';
import { Problem } from '../../platform/http/problem.js';
import type { SessionStatus, SessionType } from '../session.entity.js';
import { LiveReplies } from './live-replies.js';
import { AgentSilenced, ReplyStopWanted } from './replies.events.js';
import { REPLY_COLUMNS, type ReplyRow } from './reply.presenter.js';
import { ReplyStore } from './reply-store.js';
import { ReplyWorker } from './reply-worker.js';

interface Asked {
  type: SessionType;
  status: SessionStatus;
  enabled: boolean | null;
}

/** What people do with an agent's reply: ask for it, look at it, stop it. */
@Injectable()
export class RepliesService {
  constructor(
    private readonly database: Database,
    private readonly work: UnitOfWork,
    private readonly store: ReplyStore,
    private readonly live: LiveReplies,
    private readonly worker: ReplyWorker,
  ) {}

  /**
   * Gives the id of the reply that is under way, or of a new one: to the last thing the person said, in the place of its
   * answer where it has one. Throws 409 `session_closed`, `no_agent`, `agent_disabled` or `nothing_to_answer`.
   */
  async ask({ room }: Writer): Promise<string> {
    const id = await this.work.run(async (tx) => {
      await tx.query(`SELECT 1 FROM conversations WHERE id = $1 FOR NO KEY UPDATE`, [room.id]);
      await mustBeAnswerable(tx, room.id);
      return (await this.store.underWay(tx, room.id)) ?? this.askAgain(tx, room.id);
    });
    this.worker.wake();
    return id;
  }

  /** The one that runs, or else the latest; as of this moment where it runs on this node. */
  async latest({ room }: Reader): Promise<ReplyRow | undefined> {
    const row = await this.database.one<ReplyRow>(
      `SELECT ${REPLY_COLUMNS} FROM replies reply WHERE session_id = $1 AND id = coalesce(
         (SELECT id FROM replies WHERE session_id = $1 AND status = 'running'),
         (SELECT id FROM replies WHERE session_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1))`,
      [room.id],
    );
    return row && this.upToDate(row);
  }

  async find(sessionId: string, id: string): Promise<ReplyRow | undefined> {
    const row = await this.database.prepared<ReplyRow>(
      `SELECT ${REPLY_COLUMNS} FROM replies reply WHERE session_id = $1 AND id = $2`,
      [sessionId, id],
    );
    return row[0] && this.upToDate(row[0]);
  }

  /** Stops the reply that runs, or else the one that waits. Gives which; it may take a moment until it has ended. */
  async stop({ room }: Writer): Promise<string | undefined> {
    return this.work.run(async (tx) => {
      const stopped = await this.store.stop(tx, room.id);
      if (stopped?.status === 'running') tx.announce(ReplyStopWanted([], { replyId: stopped.id }));
      else if (stopped) tx.announce(stoppedEvent(room.ownerId, room.id, stopped.id));
      return stopped?.id;
    });
  }

  /**
   * For whoever gives a session to a person, inside that transaction and with the room locked: the agent says no more.
   * What it had said so far stays with its reply and becomes no message.
   */
  async silence(tx: Tx, sessionId: string, ownerId: string): Promise<void> {
    const silenced = await this.store.silence(tx, sessionId);
    if (silenced.length > 0) tx.announce(AgentSilenced([], { sessionId }));
    for (const id of silenced) tx.announce(stoppedEvent(ownerId, sessionId, id));
  }

  private async askAgain(tx: Tx, sessionId: string): Promise<string> {
    const asked = await tx.one<{ id: string; seq: number }>(
      `SELECT id, seq FROM messages WHERE conversation_id = $1 AND role = 'user' AND deleted_at IS NULL
       ORDER BY seq DESC LIMIT 1`,
      [sessionId],
    );
    if (!asked) throw Problem.conflict('nothing_to_answer', 'Nothing was said yet that could be answered.');
    // An answer that was deleted is no answer any more: its reply must not stand in the way of another.
    await tx.query(
      `DELETE FROM replies reply USING messages said
       WHERE reply.session_id = $1 AND reply.asked_id = $2
         AND said.conversation_id = $1 AND said.id = reply.message_id AND said.deleted_at IS NOT NULL`,
      [sessionId, asked.id],
    );
    const id = uuidv7();
    await tx.query(`INSERT INTO replies (session_id, id, asked_id, replaces_id) VALUES ($1, $2, $3, $4)`, [
      sessionId,
      id,
      asked.id,
      await answerTo(tx, sessionId, asked),
    ]);
    return id;
  }

  private upToDate(row: ReplyRow): ReplyRow {
    const run = row.status === 'running' ? this.live.get(row.id) : undefined;
    return run && run.reply.attempt === row.attempts ? { ...row, text: run.known } : row;
  }
}

async function mustBeAnswerable(tx: Tx, sessionId: string): Promise<void> {
  const session = await tx.one<Asked>(
    `SELECT session.type, session.status, agent.enabled
     FROM sessions session LEFT JOIN agents agent ON agent.id = session.agent_id WHERE session.id = $1`,
    [sessionId],
  );
  if (!session) throw Problem.notFound('This session');
  if (session.type !== 'agent') throw Problem.conflict('no_agent', 'No agent answers in this session.');
  if (session.status !== 'open') throw Problem.conflict('session_closed', 'This session is closed.');
  if (!session.enabled) throw Problem.conflict('agent_disabled', 'This agent is switched off.');
}

/** What an agent said to it; where no reply tells (it was said in another system), what it said after it. */
async function answerTo(tx: Tx, sessionId: string, asked: { id: string; seq: number }): Promise<string | null> {
  const answer = await tx.one<{ id: string }>(
    `SELECT m.id FROM messages m
     WHERE m.conversation_id = $1 AND m.role = 'agent' AND m.deleted_at IS NULL AND m.seq > $3
       AND coalesce((SELECT bool_or(reply.asked_id = $2) FROM replies reply
         WHERE reply.session_id = $1 AND reply.message_id = m.id), true)
     ORDER BY m.seq DESC LIMIT 1`,
    [sessionId, asked.id, asked.seq],
  );
  return answer?.id ?? null;
}

function stoppedEvent(ownerId: string | null, sessionId: string, id: string) {
  const reply = { id, status: 'stopped' as const, error: null };
  return ConversationUpdated(ownerId ? [`user:${ownerId}`] : [], { conversation: { id: sessionId, reply } });
}
