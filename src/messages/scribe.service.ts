import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { eventIn } from '../access/facts.js';
import type { Scribe } from '../access/pass.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { Problem } from '../platform/http/problem.js';
import { MessageChanges } from './message-changes.js';
import { messageView, type MessageView, NEW_MESSAGE } from './message.presenter.js';
import { MessageCreated, MessageStored } from './messages.events.js';

interface Place {
  seq: number;
  rev: number;
  createdAt: Date;
}

/** Writes down the side that nobody speaks for. Its author is the scribe: everybody sees who says that it was said. */
@Injectable()
export class ScribeService {
  constructor(private readonly changes: MessageChanges) {}

  /** Throws 409 `session_closed`, 403 where an agent or an advocate has come in meanwhile. */
  async tell(scribe: Scribe, content: string): Promise<MessageView> {
    const { room, actor, author, role } = scribe;
    return this.changes.underLock(room, async (tx) => {
      await mustBeSilent(tx, room.id, actor.userId);
      const id = uuidv7();
      const place = await insert(tx, room.id, id, actor.userId, content);
      const told = { id, conversationId: room.id, role, content, authorId: actor.userId, agentId: null };
      const nothing = { metadata: null, tokensUsed: null, nonce: null, replyToId: null };
      const message = messageView({ ...told, ...nothing, ...NEW_MESSAGE, ...place }, author);
      tx.announce(eventIn(room, MessageCreated, { conversationId: room.id, rev: message.rev, message }));
      tx.announce(MessageStored([], { room, message, replyId: null, joined: false }));
      return message;
    });
  }
}

async function mustBeSilent(tx: Tx, sessionId: string, ownerId: string): Promise<void> {
  const session = await tx.one(
    `SELECT 1 FROM sessions WHERE id = $1 AND owner_id = $2 AND type = 'agent' AND agent_id IS NULL FOR NO KEY UPDATE`,
    [sessionId, ownerId],
  );
  if (!session) throw Problem.forbidden('Somebody else speaks for the other side of this session.');
}

async function insert(tx: Tx, sessionId: string, id: string, authorId: string, content: string): Promise<Place> {
  const place = await tx.one<Place>(
    `WITH room AS (
       UPDATE conversations SET last_seq = last_seq + 1, last_rev = last_rev + 1, last_message_at = now()
       WHERE id = $1 AND NOT closed RETURNING last_seq, last_rev
     ), active AS (
       UPDATE sessions SET active_at = now() WHERE id = $1
     )
     INSERT INTO messages (conversation_id, seq, id, rev, author_id, role, content)
     SELECT $1, last_seq, $2, last_rev, $3, 'agent', $4 FROM room
     RETURNING seq, rev, created_at AS "createdAt"`,
    [sessionId, id, authorId, content],
  );
  if (!place) throw Problem.conflict('session_closed', 'This session is closed.');
  return place;
}
