import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type Scope, StandingChanged, StandingNoted } from '../access/access.events.js';
import { AccessService } from '../access/access.service.js';
import { audienceOf, type Room } from '../access/facts.js';
import type { Reader } from '../access/pass.js';
import { ConversationDeleted } from '../conversations/conversations.events.js';
import { EventBus } from '../platform/events/event-bus.js';
import type { Topic } from '../platform/events/event.js';
import { Problem } from '../platform/http/problem.js';
import { HintsLost } from '../platform/nodes/nodes.events.js';
import { Attendance } from './attendance.js';
import type { Connection } from './connection.js';
import { Hub } from './hub.js';

const MOST = 100;

/**
 * The conversations that sockets show: who shows one is told who types in it and who of its people is here. In a
 * server a subscription hangs on the socket's membership, and ends in the same moment as that.
 */
@Injectable()
export class Subscriptions implements OnModuleInit {
  /** Of rooms outside of servers: their threads that were shown, whose people change with theirs. */
  private readonly threads = new Map<Topic, Set<Topic>>();

  constructor(
    private readonly bus: EventBus,
    private readonly hub: Hub,
    private readonly access: AccessService,
    private readonly attendance: Attendance,
  ) {}

  onModuleInit(): void {
    this.bus.on(ConversationDeleted, ({ conversationId }, { audience }) => this.endFor(audience, conversationId));
    for (const kind of [StandingChanged, StandingNoted]) this.bus.on(kind, ({ scope }) => this.judgeScope(scope));
    this.bus.on(HintsLost, () => {
      for (const connection of this.hub.connections) {
        for (const topic of connection.topics) this.judgeAgain(connection, topic);
      }
    });
  }

  /** The room is gone, or only their part in it: whoever else shows it goes on. */
  private endFor(audience: readonly Topic[], conversationId: string): void {
    for (const topic of audience) for (const connection of this.hub.of(topic)) this.end(connection, conversationId);
  }

  private judgeScope(scope: Scope): void {
    if (!scope.startsWith('conversation:')) return;
    for (const topic of [scope, ...(this.threads.get(scope) ?? [])]) {
      for (const connection of this.hub.of(topic)) this.judgeAgain(connection, topic);
      if (this.hub.of(topic).size === 0) this.threads.get(scope)?.delete(topic);
    }
    if (this.threads.get(scope)?.size === 0) this.threads.delete(scope);
  }

  /** Throws 404 where the standing was lost in this moment, 409 `too_many_subscriptions`. Twice is once. */
  async begin(connection: Connection, { room }: Reader): Promise<void> {
    const topic: Topic = `conversation:${room.id}`;
    if (!connection.topics.has(topic) && shownBy(connection).length >= MOST) {
      throw Problem.conflict('too_many_subscriptions', `A socket subscribes to ${MOST} conversations at most.`);
    }
    if (this.hold(connection, room)) return;
    // Another node may have let them in, and has yet to say so.
    await this.attendance.look(connection.actor.userId);
    if (!this.hold(connection, room)) throw Problem.notFound('This conversation');
  }

  end(connection: Connection, conversationId: string): void {
    this.hub.unsubscribe(connection, `conversation:${conversationId}`);
  }

  /** False where the socket has no part in what the subscription would hang on. */
  private hold(connection: Connection, room: Room): boolean {
    const { userId } = connection.actor;
    const reason: Topic = room.serverId ? `server:${room.serverId}` : `user:${userId}`;
    if (!connection.topics.has(reason)) return false;
    const topic: Topic = `conversation:${room.id}`;
    this.hub.subscribe(connection, topic, reason);
    if (room.parentId && !room.serverId) this.rememberThread(`conversation:${room.parentId}`, topic);
    for (const watched of peopleOf(room)) {
      if (watched !== `presence:${userId}`) this.hub.subscribe(connection, watched, topic);
    }
    return true;
  }

  private rememberThread(parent: Topic, thread: Topic): void {
    const threads = this.threads.get(parent);
    if (threads) threads.add(thread);
    else this.threads.set(parent, new Set([thread]));
  }

  /** Outside of servers: whose conversation it is may have changed. Nobody is told of anybody until that is known. */
  private judgeAgain(connection: Connection, topic: Topic): void {
    if (!topic.startsWith('conversation:')) return;
    if (!connection.reasons.get(topic)?.has(`user:${connection.actor.userId}`)) return;
    this.hub.release(connection, topic);
    this.access.enter(connection.actor, topic.slice('conversation:'.length), 'read').then(
      ({ room }) => connection.topics.has(topic) && this.hold(connection, room),
      () => this.hub.unsubscribe(connection, topic),
    );
  }
}

function shownBy({ topics }: Connection): Topic[] {
  return [...topics].filter((topic) => topic.startsWith('conversation:'));
}

/** Whose coming and going is shown with the room: that of a server's members, or of those it is between. */
function peopleOf(room: Room): Topic[] {
  if (room.serverId) return [`presence:${room.serverId}`];
  return audienceOf(room).map((topic): Topic => `presence:${topic.slice('user:'.length)}`);
}
