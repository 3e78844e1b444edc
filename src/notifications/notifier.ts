import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { audienceOf, inside, type Room } from '../access/facts.js';
import type { MessageView } from '../messages/message.presenter.js';
import { MessageStored } from '../messages/messages.events.js';
import { arrayAt, Database } from '../platform/database/database.js';
import { EventBus } from '../platform/events/event-bus.js';
import { Notification, type NotificationData } from './notifications.events.js';

/** What is said in such a moment is looked at together. */
const TOGETHER_MS = 50;
const AT_ONCE = 5_000;

interface Candidate extends NotificationData {
  userId: string;
  parentId: string | null;
}

/**
 * Notifies who is named, and who is spoken to in a session or direct conversation, as far as they want it. Nothing of
 * it is stored: who is away finds the same in the counters of unread messages and mentions.
 */
@Injectable()
export class Notifier implements OnModuleInit {
  private readonly logger = new Logger(Notifier.name);
  private waiting: Candidate[] = [];

  constructor(
    private readonly bus: EventBus,
    private readonly database: Database,
  ) {}

  onModuleInit(): void {
    this.bus.on(MessageStored, ({ room, message }) => {
      const candidates = candidatesOf(room, message);
      if (candidates.length === 0) return;
      if (this.waiting.length === 0) setTimeout(() => void this.notify(), TOGETHER_MS).unref();
      this.waiting.push(...candidates);
    });
  }

  private async notify(): Promise<void> {
    const all = this.waiting;
    this.waiting = [];
    try {
      for (let i = 0; i < all.length; i += AT_ONCE) await this.notifyWilling(all.slice(i, i + AT_ONCE));
    } catch (error) {
      this.logger.warn({ err: error as Error }, 'nobody could be notified');
    }
  }

  /**
   * Of a room that says nothing of its own, its parent's or its server's settings hold; being muted holds in all. Who has
   * left the server since it was said hears no more of it.
   */
  private async notifyWilling(candidates: Candidate[]): Promise<void> {
    const willing = await this.database.prepared<{ place: number }>(
      `SELECT c.place FROM unnest(${arrayAt(1)}, ${arrayAt(2)}, ${arrayAt(3)}, ${arrayAt(4)}, ${arrayAt(5, 'text')})
         WITH ORDINALITY AS c (user_id, conversation_id, parent_id, server_id, reason, place)
       LEFT JOIN conversation_notifications own
         ON own.user_id = c.user_id AND own.conversation_id = c.conversation_id
       LEFT JOIN conversation_notifications parent
         ON parent.user_id = c.user_id AND parent.conversation_id = c.parent_id
       LEFT JOIN server_notifications server ON server.user_id = c.user_id AND server.server_id = c.server_id
       WHERE coalesce(greatest(own.muted_until, parent.muted_until, server.muted_until) <= now(), true)
         AND coalesce(own.level, parent.level, server.level, 'all') = ANY(
           CASE c.reason WHEN 'mention' THEN ARRAY['all', 'mentions'] ELSE ARRAY['all'] END)
         AND (c.server_id IS NULL OR EXISTS (
           SELECT FROM memberships m WHERE m.server_id = c.server_id AND m.user_id = c.user_id
         ))
       ORDER BY c.place`,
      [
        candidates.map(({ userId }) => userId),
        candidates.map(({ conversationId }) => conversationId),
        candidates.map(({ parentId }) => parentId),
        candidates.map(({ serverId }) => serverId),
        candidates.map(({ reason }) => reason),
      ],
    );
    for (const { place } of willing) {
      const candidate = candidates[place - 1];
      if (!candidate) continue;
      const { userId, parentId, ...data } = candidate;
      this.bus.publish(inside({ parentId }, Notification([`user:${userId}`], data)));
    }
  }
}

function candidatesOf(room: Room, { id, seq, author, mentions }: MessageView): Candidate[] {
  const named = new Set(mentions);
  const spokenTo = audienceOf(room).flatMap((topic) =>
    topic.startsWith('user:') ? [topic.slice('user:'.length)] : [],
  );
  const people = new Set([...named, ...spokenTo]);
  people.delete(author?.id ?? '');
  const { id: conversationId, serverId, parentId = null } = room;
  return [...people].map((userId) => {
    const reason = named.has(userId) ? 'mention' : 'message';
    return { userId, reason, conversationId, serverId, parentId, messageId: id, seq };
  });
}
