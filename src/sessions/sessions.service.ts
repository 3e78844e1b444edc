import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { eventIn } from '../access/facts.js';
import { StandingChanged } from '../access/access.events.js';
import type { Moderator, Reader, Writer } from '../access/pass.js';
import type { Actor } from '../auth/actor.js';
import { newState } from '../conversations/conversation-state.js';
import {
  ConversationCreated,
  ConversationDeleted,
  ConversationUpdated,
} from '../conversations/conversations.events.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { deleteConversations } from '../conversations/delete-conversations.js';
import { MessageChanges } from '../messages/message-changes.js';
import { roomNow } from '../messages/room-now.js';
import { Database } from '../platform/database/database.js';
import { type Tx, UnitOfWork } from '../platform/database/unit-of-work.js';
import { breaks } from '../platform/http/database-problem.js';
import { Problem } from '../platform/http/problem.js';
import { advocateFor } from './peer/advocates.js';
import { tellWatchers, waits } from './peer/queue-watch.js';
import { WAITS } from './peer/queue.presenter.js';
import type { SessionStatus } from './session.entity.js';
import { presentSession, SESSION_ROWS, type SessionRow, type SessionView } from './session.presenter.js';
import type { SessionBody, SessionPatch } from './sessions.dto.js';

/** `unanswered`: an agent session without an agent, both sides of which its owner writes down. */
type NewSession = SessionBody & { standing?: boolean; unanswered?: boolean };

@Injectable()
export class SessionsService {
  constructor(
    private readonly database: Database,
    private readonly work: UnitOfWork,
    private readonly conversations: ConversationsService,
    private readonly changes: MessageChanges,
  ) {}

  /** Gives the one that is there where the caller used this externalId before, however the calls race. */
  async create(actor: Actor, body: NewSession): Promise<{ session: SessionView; created: boolean }> {
    mustFit(body);
    const earlier = await this.earlier(actor, body);
    if (earlier) return { session: await this.get(earlier), created: false };
    try {
      const id = await this.work.run((tx) => this.insert(tx, actor, body));
      return { session: await this.get(id), created: true };
    } catch (error) {
      const winner = isTaken(error) ? await this.earlier(actor, body) : undefined;
      if (winner) return { session: await this.get(winner), created: false };
      throw absenceProblem(error) ?? error;
    }
  }

  /** The caller's one standing session with an agent. */
  standing(actor: Actor, agentId: string): Promise<{ session: SessionView; created: boolean }> {
    return this.create(actor, { type: 'agent', agentId, standing: true });
  }

  async read({ room }: Reader): Promise<SessionView> {
    return this.get(room.id);
  }

  async change(pass: Writer, { title, status }: SessionPatch): Promise<SessionView> {
    const { id } = pass.room;
    await this.changes.underLock(pass.room, async (tx) => {
      const room = await roomNow(tx, pass);
      const waited = await waits(tx, id);
      const changed = await tx.one<{ title: string | null; status: SessionStatus }>(
        `UPDATE sessions SET title = coalesce($2, title), status = coalesce($3, status), updated_at = clock_timestamp(),
           queued_at = CASE WHEN status = 'closed' AND $3 = 'open' THEN clock_timestamp() ELSE queued_at END
         WHERE id = $1 RETURNING title, status`,
        [id, title ?? null, status ?? null],
      );
      if (!changed) throw Problem.notFound('This session');
      if (status) await setClosed(tx, id, status === 'closed');
      tx.announce(eventIn(room, ConversationUpdated, { conversation: { id, ...changed } }));
      await tellWatchers(tx, id, waited);
    });
    return this.get(id);
  }

  /** Lets this agent answer in an agent session that has none; where one answers already, that one goes on. */
  async letAnswer({ room }: Moderator, agentId: string): Promise<void> {
    await this.work.run(async (tx) => {
      await tx.query(`SELECT 1 FROM conversations WHERE id = $1 FOR NO KEY UPDATE`, [room.id]);
      await tx.query(
        `UPDATE sessions SET agent_id = $2, updated_at = clock_timestamp()
         WHERE id = $1 AND type = 'agent' AND agent_id IS NULL`,
        [room.id, agentId],
      );
      tx.announce(StandingChanged([], { scope: `conversation:${room.id}` }));
    });
  }

  async delete(pass: Moderator): Promise<void> {
    await this.changes.underLock(pass.room, async (tx) => {
      const room = await roomNow(tx, pass);
      const waited = await waits(tx, room.id);
      await deleteConversations(tx, [room.id]);
      tx.announce(StandingChanged([], { scope: `conversation:${room.id}` }));
      tx.announce(eventIn(room, ConversationDeleted, { conversationId: room.id }));
      await tellWatchers(tx, room.id, waited);
    });
  }

  private async insert(tx: Tx, { userId }: Actor, body: NewSession): Promise<string> {
    const id = uuidv7();
    const { type, title = null, agentId = null, advocateId = null, externalId = null, standing = false } = body;
    if (advocateId) await advocateFor(tx, userId, advocateId);
    if (agentId) await mustExist(tx, agentId);
    await this.conversations.create(tx, id, 'session');
    await tx.query(
      `INSERT INTO sessions (id, owner_id, type, title, agent_id, advocate_id, external_id, standing)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [id, userId, type, title, agentId, advocateId, externalId, standing],
    );
    const room = { id, kind: 'session' as const, serverId: null, ownerId: userId, advocateId, agentId };
    const conversation = newState({ id, kind: 'session', title, serverId: null });
    tx.announce(eventIn(room, ConversationCreated, { conversation }));
    await tellWatchers(tx, id, false);
    return id;
  }

  private async earlier({ userId }: Actor, { externalId, standing, agentId }: NewSession): Promise<string | undefined> {
    if (!externalId && !standing) return undefined;
    const row = await this.database.one<{ id: string }>(
      `SELECT id FROM sessions WHERE owner_id = $1 AND ${standing ? 'standing AND agent_id = $2' : 'external_id = $2'}`,
      [userId, standing ? agentId : externalId],
    );
    return row?.id;
  }

  private async get(id: string): Promise<SessionView> {
    const row = await this.database.one<SessionRow>(`${SESSION_ROWS} WHERE s.id = $1`, [id]);
    if (!row) throw Problem.notFound('This session');
    return presentSession({ ...row, position: row.waitingSince && (await this.placeInQueue(id)) });
  }

  /** Exact up to a thousand: a range of the queue's index. */
  private async placeInQueue(id: string): Promise<number | null> {
    const row = await this.database.one<{ ahead: number }>(
      `SELECT count(*) AS ahead FROM (
         SELECT 1 FROM sessions s, (SELECT queued_at, id FROM sessions WHERE id = $1) mine
         WHERE ${WAITS} AND (s.queued_at, s.id) < (mine.queued_at, mine.id) LIMIT 999
       ) AS before_it`,
      [id],
    );
    return row ? row.ahead + 1 : null;
  }
}

function mustFit({ type, agentId, advocateId, unanswered }: NewSession): void {
  if (type === 'agent' && !agentId && !unanswered) throw Problem.invalid('agentId', 'is needed for an agent session');
  if (type === 'agent' && advocateId) throw Problem.invalid('advocateId', 'is for peer sessions');
  if (type === 'peer' && agentId) throw Problem.invalid('agentId', 'is for agent sessions');
}

/** A deleted agent keeps its row, and gets no new sessions. */
async function mustExist(tx: Tx, agentId: string): Promise<void> {
  const agent = await tx.one(`SELECT 1 FROM agents WHERE id = $1 AND deleted_at IS NULL`, [agentId]);
  if (!agent) throw Problem.notFound('This agent');
}

function isTaken(error: unknown): boolean {
  return breaks(error, 'sessions_external_key') || breaks(error, 'sessions_standing_key');
}

function absenceProblem(error: unknown): Problem | undefined {
  if (breaks(error, 'sessions_owner_fk')) return Problem.unauthorized('This account is gone.');
  return breaks(error, 'sessions_agent_fk') ? Problem.notFound('This agent') : undefined;
}

/** Under the lock of the room; the threads on it follow. They are locked in the order in which sends lock them. */
async function setClosed(tx: Tx, id: string, closed: boolean): Promise<void> {
  await tx.query(
    `SELECT 1 FROM conversations WHERE id = ANY(ARRAY(SELECT id FROM threads WHERE parent_id = $1))
     ORDER BY id FOR NO KEY UPDATE`,
    [id],
  );
  await tx.query(`UPDATE conversations SET closed = $2 WHERE id = $1`, [id, closed]);
}
