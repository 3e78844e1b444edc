import { Injectable } from '@nestjs/common';
import { StandingChanged } from '../../access/access.events.js';
import type { Moderator, Writer } from '../../access/pass.js';
import type { Actor } from '../../auth/actor.js';
import {
  ConversationCreated,
  ConversationDeleted,
  ConversationUpdated,
} from '../../conversations/conversations.events.js';
import { ConversationsService } from '../../conversations/conversations.service.js';
import { MessageChanges } from '../../messages/message-changes.js';
import type { Tx } from '../../platform/database/unit-of-work.js';
import { Problem } from '../../platform/http/problem.js';
import type { Profile } from '../../users/profile.presenter.js';
import { RepliesService } from '../replies/replies.service.js';
import type { SessionStatus, SessionType } from '../session.entity.js';
import { advocateFor, asAdvocate } from './advocates.js';
import { ADVOCATES, SessionClaimed } from './queue.events.js';
import { tellWatchers } from './queue-watch.js';

interface Present {
  type: SessionType;
  status: SessionStatus;
  ownerId: string;
  advocateId: string | null;
}

/**
 * Who helps in a session. Each change is judged by what is true under the lock of the room, where sends are judged
 * too: what is said after it goes to nobody who has just left, and to everybody who has just come. It happens at the
 * moment of the clock: of a transaction that has waited for its room, `now()` is the time before.
 */
@Injectable()
export class PeerService {
  constructor(
    private readonly changes: MessageChanges,
    private readonly conversations: ConversationsService,
    private readonly replies: RepliesService,
  ) {}

  /** Takes a waiting session; twice is once. Of several at once one gets it: throws 409 `already_claimed`, and 404, 403. */
  async claim({ userId }: Actor, sessionId: string): Promise<void> {
    await this.changes.underLock({ id: sessionId }, async (tx) => {
      const session = await present(tx, sessionId);
      if (session.type !== 'peer' || session.status !== 'open') throw Problem.notFound('This conversation');
      // Before they are locked: whoever ends their advocacy has locked them, and waits for their rooms.
      if (session.advocateId === userId) return;
      const advocate = await asAdvocate(tx, userId);
      if (session.ownerId === userId) throw Problem.forbidden('Nobody is their own advocate.');
      if (session.advocateId) throw Problem.conflict('already_claimed', 'This session has an advocate already.');
      await this.give(tx, sessionId, session, advocate);
      tx.announce(SessionClaimed([...ADVOCATES, `user:${session.ownerId}`], { sessionId, advocate }));
    });
  }

  /** Its advocate puts a session back into the queue, and sees no more of it. Throws 404. */
  async release(pass: Writer): Promise<void> {
    await this.changes.underLock(pass.room, async (tx) => {
      const session = await helped(tx, pass);
      await tx.query(
        `UPDATE sessions SET advocate_id = NULL, queued_at = clock_timestamp(), updated_at = clock_timestamp()
         WHERE id = $1`,
        [pass.room.id],
      );
      tellLeft(tx, pass.room.id, session);
      await tellWatchers(tx, pass.room.id, false);
    });
  }

  /** Its advocate gives a session to another one, and sees no more of it. Throws 404, 400 for no advocate. */
  async transfer(pass: Writer, advocateId: string): Promise<void> {
    await this.changes.underLock(pass.room, async (tx) => {
      const session = await helped(tx, pass);
      if (advocateId === session.advocateId) return;
      const advocate = await advocateFor(tx, session.ownerId, advocateId);
      await this.give(tx, pass.room.id, session, advocate);
    });
  }

  /**
   * Gives a session with an agent to a person; what was said stays, and the agent says nothing more. Without an advocate
   * it waits in the queue. Throws 409 `not_an_agent_session` or `session_closed`, 400 for no advocate.
   */
  async handOff({ room }: Moderator, advocateId: string | undefined): Promise<void> {
    await this.changes.underLock(room, async (tx) => {
      const session = await present(tx, room.id);
      if (session.type !== 'agent')
        throw Problem.conflict('not_an_agent_session', 'A person has this session already.');
      if (session.status === 'closed') throw Problem.conflict('session_closed', 'This session is closed.');
      const advocate = advocateId === undefined ? undefined : await advocateFor(tx, session.ownerId, advocateId);
      await tx.query(
        `UPDATE sessions SET type = 'peer', agent_id = NULL, standing = false, queued_at = clock_timestamp(),
           updated_at = clock_timestamp()
         WHERE id = $1`,
        [room.id],
      );
      await this.replies.silence(tx, room.id, session.ownerId);
      if (advocate) return this.give(tx, room.id, session, advocate);
      announceChange(tx, room.id, session.ownerId, null);
      await tellWatchers(tx, room.id, false);
    });
  }

  /** Lets the advocate in, and whoever had it out. */
  private async give(tx: Tx, sessionId: string, before: Present, advocate: Profile): Promise<void> {
    await tx.query(`UPDATE sessions SET advocate_id = $2, updated_at = clock_timestamp() WHERE id = $1`, [
      sessionId,
      advocate.id,
    ]);
    const states = await this.conversations.statesWithin(tx, sessionId, advocate.id);
    announceChange(tx, sessionId, before.ownerId, advocate);
    if (before.advocateId)
      tx.announce(ConversationDeleted([`user:${before.advocateId}`], { conversationId: sessionId }));
    for (const conversation of states) tx.announce(ConversationCreated([`user:${advocate.id}`], { conversation }));
  }
}

async function present(tx: Tx, sessionId: string): Promise<Present> {
  const row = await tx.one<Present>(
    `SELECT type, status, owner_id AS "ownerId", advocate_id AS "advocateId" FROM sessions WHERE id = $1`,
    [sessionId],
  );
  if (!row) throw Problem.notFound('This conversation');
  return row;
}

/** The session, if the pass is still that of its advocate: somebody may have taken it on since the pass was made. */
async function helped(tx: Tx, { room, actor }: Writer): Promise<Present> {
  const session = await present(tx, room.id);
  if (session.advocateId !== actor.userId) throw Problem.notFound('This conversation');
  return session;
}

function tellLeft(tx: Tx, sessionId: string, { ownerId, advocateId }: Present): void {
  announceChange(tx, sessionId, ownerId, null);
  if (advocateId) tx.announce(ConversationDeleted([`user:${advocateId}`], { conversationId: sessionId }));
}

/** What is remembered of who may what goes first; then the owner is told who helps now. */
function announceChange(tx: Tx, sessionId: string, ownerId: string, advocate: Profile | null): void {
  tx.announce(StandingChanged([], { scope: `conversation:${sessionId}` }));
  tx.announce(ConversationUpdated([`user:${ownerId}`], { conversation: { id: sessionId, type: 'peer', advocate } }));
}
