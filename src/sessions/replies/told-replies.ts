import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ConversationUpdated } from '../../conversations/conversations.events.js';
import { Database } from '../../platform/database/database.js';
import { EventBus } from '../../platform/events/event-bus.js';
import type { ReplyState } from './reply.presenter.js';

/** A loss is seen within two seconds, that of a node within five: how far back to look. */
const WINDOW = `interval '15 seconds'`;

interface Ended extends ReplyState {
  sessionId: string;
  ownerId: string;
}

/** How replies have ended as far as this node was told, and how they have beyond that. */
@Injectable()
export class ToldReplies {
  private readonly told = new LRUCache<string, string>({ max: 100_000, ttl: 60_000 });

  constructor(
    private readonly database: Database,
    private readonly bus: EventBus,
  ) {}

  listen(): void {
    this.bus.on(ConversationUpdated, ({ conversation: { reply } }) => {
      if (reply) this.told.set(reply.id, reply.status);
    });
  }

  /** Tells those whose reply has ended just now how it did. */
  async catchUp(): Promise<void> {
    const ended = await this.database.query<Ended>(
      `SELECT reply.id, reply.session_id AS "sessionId", session.owner_id AS "ownerId", reply.status, reply.error
       FROM replies reply JOIN sessions session ON session.id = reply.session_id
       WHERE reply.ended_at > now() - ${WINDOW} ORDER BY reply.ended_at`,
    );
    for (const { sessionId, ownerId, id, status, error } of ended) {
      if (this.told.get(id) === status) continue;
      this.bus.hear(
        ConversationUpdated([`user:${ownerId}`], { conversation: { id: sessionId, reply: { id, status, error } } }),
      );
    }
  }
}
