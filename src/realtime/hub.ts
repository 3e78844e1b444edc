import { Injectable } from '@nestjs/common';
import type { ConversationState } from '../conversations/conversation-state.js';
import { ConversationCreated } from '../conversations/conversations.events.js';
import type { DomainEvent, Personal, Topic } from '../platform/events/event.js';
import type { Form } from './ahead.js';
import type { Connection, Dialect } from './connection.js';
import { textFrame } from './text-frame.js';

/**
 * Sockets written to in one turn of the event loop, besides those that wait for an answer. A crowd written to in one go
 * would keep all who send waiting; and what is said meanwhile goes to the rest of the crowd in the same write.
 */
const TOLD_IN_A_TURN = 32;

/** Who listens to what on this node, and how an event gets to them: serialised once, framed once, written once. */
@Injectable()
export class Hub {
  readonly connections = new Set<Connection>();
  private readonly topics = new Map<Topic, Set<Connection>>();
  /** Since the start, for the metrics: plain numbers, because a delivery must cost next to nothing. */
  readonly counts = { opened: 0, closedBy: new Map<number, number>(), deliveredBy: new Map<string, number>() };
  /** Who is to be written to: with an answer, and with what others did. */
  private answered: Connection[] = [];
  private told: Connection[] = [];

  add(connection: Connection): void {
    this.connections.add(connection);
    this.counts.opened += 1;
  }

  /** `code` is the one that the socket was closed with. */
  remove(connection: Connection, code: number): void {
    this.connections.delete(connection);
    count(this.counts.closedBy, code, 1);
    for (const topic of connection.topics) this.unsubscribe(connection, topic);
    connection.dispose();
  }

  of(topic: Topic): ReadonlySet<Connection> {
    return this.topics.get(topic) ?? new Set();
  }

  /** Who hears, on this node, what is told to this audience. */
  peopleIn(audience: readonly Topic[]): Set<string> {
    const people = new Set<string>();
    for (const topic of audience) for (const { actor } of this.of(topic)) people.add(actor.userId);
    return people;
  }

  /** With `because`, for as long as it also listens to that, or to another topic given for it. */
  subscribe(connection: Connection, topic: Topic, because?: Topic): void {
    connection.lost.delete(topic);
    connection.topics.add(topic);
    if (because) connection.reasons.set(topic, (connection.reasons.get(topic) ?? new Set()).add(because));
    const listeners = this.topics.get(topic);
    if (listeners) listeners.add(connection);
    else this.topics.set(topic, new Set([connection]));
    const beside = connection.dialect.beside?.(topic);
    if (beside) this.subscribe(connection, beside, topic);
  }

  unsubscribe(connection: Connection, topic: Topic): void {
    if (connection.isOpening) connection.lost.add(topic);
    if (topic.startsWith('server:')) connection.interruptSync(topic.slice('server:'.length));
    connection.topics.delete(topic);
    const listeners = this.topics.get(topic);
    listeners?.delete(connection);
    if (listeners?.size === 0) this.topics.delete(topic);
    connection.reasons.delete(topic);
    this.release(connection, topic);
  }

  /** Ends what it listens to because of this topic alone. */
  release(connection: Connection, because: Topic): void {
    for (const [topic, reasons] of connection.reasons) {
      if (reasons.delete(because) && reasons.size === 0) this.unsubscribe(connection, topic);
    }
  }

  drop(topic: Topic): void {
    for (const connection of [...this.of(topic)]) this.unsubscribe(connection, topic);
  }

  /** With a `form`, to those of the audience alone whom it is for. */
  deliver(event: DomainEvent, form?: Form): void {
    const [first, ...others] = event.audience;
    if (first === undefined) return;
    const listeners = others.length === 0 ? this.of(first) : this.union(event.audience);
    if (listeners.size === 0) return;
    const { conversationId, rev } = event.data as { conversationId?: string; rev?: number };
    const shared = new EventFrames(event);
    const personal = event.personal && personalFrames(event.personal, event);
    const room = roomBegunBy(event);
    let delivered = 0;
    for (const connection of listeners) {
      if (connection.actor.userId === event.except) continue;
      if (form && conversationId !== undefined && !connection.mayTake(conversationId, form)) continue;
      const frame = (personal?.get(connection.actor.userId) ?? shared).in(connection.dialect);
      if (!frame) continue;
      if (room) connection.offerRoom(frame, room);
      else connection.offer(frame, conversationId, rev, form);
      delivered += 1;
    }
    count(this.counts.deliveredBy, event.type, delivered);
  }

  /** An event for this connection alone. */
  tell(connection: Connection, event: DomainEvent): void {
    const frame = new EventFrames(event).in(connection.dialect);
    if (!frame) return;
    const room = roomBegunBy(event);
    if (room) connection.offerRoom(frame, room);
    else connection.offer(frame, undefined, undefined);
  }

  /** Asked for by a connection that has something to say: at the end of this turn with an answer, or when its turn comes. */
  flushSoon = (connection: Connection, isAnswered: boolean): void => {
    if (this.answered.length + this.told.length === 0) setImmediate(() => this.flush());
    (isAnswered ? this.answered : this.told).push(connection);
  };

  /** Listeners of one topic mostly wait for the very same frames: those are joined once for all of them. */
  private flush(): void {
    const connections = [...this.answered.splice(0), ...this.told.splice(0, TOLD_IN_A_TURN)];
    if (this.told.length > 0) setImmediate(() => this.flush());
    let frames: Buffer[] = [];
    let joined: Buffer = Buffer.alloc(0);
    for (const connection of connections) {
      const waiting = connection.takeOutgoing();
      const [only] = waiting;
      if (only === undefined) continue;
      if (waiting.length > 1 && !sameFrames(waiting, frames)) {
        frames = waiting;
        joined = Buffer.concat(waiting);
      }
      connection.writeOut(waiting.length === 1 ? only : joined);
    }
  }

  private union(audience: readonly Topic[]): Set<Connection> {
    const all = new Set<Connection>();
    for (const topic of audience) for (const connection of this.of(topic)) all.add(connection);
    return all;
  }
}

function roomBegunBy({ type, data }: DomainEvent): ConversationState | undefined {
  return type === ConversationCreated.type ? (data as { conversation: ConversationState }).conversation : undefined;
}

function count<K>(counts: Map<K, number>, key: K, more: number): void {
  counts.set(key, (counts.get(key) ?? 0) + more);
}

/** One event in each dialect that is asked for, framed once for all who are told the same. */
class EventFrames {
  private readonly made = new Map<Dialect, Buffer | undefined>();

  constructor(private readonly event: DomainEvent) {}

  in(dialect: Dialect): Buffer | undefined {
    const known = this.made.get(dialect);
    if (known || this.made.has(dialect)) return known;
    const text = dialect.encode(this.event);
    const frame = text === undefined ? undefined : textFrame(text);
    this.made.set(dialect, frame);
    return frame;
  }
}

/** By the id of each person who is told something of their own. */
function personalFrames(personal: readonly Personal[], { type, audience }: DomainEvent): Map<string, EventFrames> {
  return new Map(
    personal.flatMap(({ userIds, data }) => {
      const frames = new EventFrames({ type, audience, data });
      return userIds.map((userId): [string, EventFrames] => [userId, frames]);
    }),
  );
}

function sameFrames(a: Buffer[], b: Buffer[]): boolean {
  return a.length === b.length && a.every((frame, i) => frame === b[i]);
}
