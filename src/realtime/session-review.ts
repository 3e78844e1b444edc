import { Injectable } from '@nestjs/common';
import { ConversationDeleted, ConversationUpdated } from '../conversations/conversations.events.js';
import { arrayAt, Database } from '../platform/database/database.js';
import type { Topic } from '../platform/events/event.js';
import type { SessionStatus, SessionType } from '../sessions/session.entity.js';
import { type Profile, profileJson } from '../users/profile.presenter.js';
import { RoomOrder } from './room-order.js';

const ROOMS_AT_ONCE = 5_000;
/** What was changed so long ago may have been announced just now: what it is found by takes its time. */
const RECENT_MS = 10_000;
/** No loss goes unnoticed for longer. */
const LONGEST_MS = 60_000;

interface SessionNow {
  id: string;
  people: string[];
  isNews: boolean;
  title: string | null;
  status: SessionStatus;
  type: SessionType;
  advocate: Profile | null;
}

/**
 * What has become of sessions that people here hear of, where another node may have announced it in vain: who has left
 * one, and what it is called, whether it is open and who helps in it. Nothing of that has a `rev`.
 */
@Injectable()
export class SessionReview {
  private reviewedAt = -Infinity;

  constructor(
    private readonly order: RoomOrder,
    private readonly database: Database,
  ) {}

  async tellAll(): Promise<void> {
    const now = performance.now();
    await this.tell(() => true, Math.min(now - this.reviewedAt + RECENT_MS, LONGEST_MS));
    this.reviewedAt = now;
  }

  async tell(which: (id: string) => boolean, withinMs = RECENT_MS): Promise<void> {
    const rooms = [...this.order.people()].filter(([id]) => which(id));
    for (let i = 0; i < rooms.length; i += ROOMS_AT_ONCE)
      await this.tellOf(new Map(rooms.slice(i, i + ROOMS_AT_ONCE)), withinMs);
  }

  private async tellOf(hearers: ReadonlyMap<string, Topic[]>, withinMs: number): Promise<void> {
    const sessions = await this.database.prepared<SessionNow>(
      `SELECT s.id, array_remove(ARRAY[s.owner_id, s.advocate_id], NULL)::text[] AS people, s.title, s.status, s.type,
         ${profileJson('advocate')} AS advocate,
         greatest(s.updated_at, s.active_at) > now() - make_interval(secs => $2) AS "isNews"
       FROM sessions s LEFT JOIN users advocate ON advocate.id = s.advocate_id WHERE s.id = ANY(${arrayAt(1)})`,
      [[...hearers.keys()], withinMs / 1000],
    );
    for (const { people, isNews, ...conversation } of sessions) {
      const { id } = conversation;
      const [present, left] = [people.map((userId): Topic => `user:${userId}`), hearers.get(id) ?? []];
      const gone = left.filter((topic) => !present.includes(topic));
      if (gone.length > 0) this.order.deliver(ConversationDeleted(gone, { conversationId: id }));
      if (isNews) this.order.deliver(ConversationUpdated(present, { conversation }));
    }
  }
}
