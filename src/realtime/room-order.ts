import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { ListedRoom } from '../conversations/conversation-state.js';
import { ConversationDeleted } from '../conversations/conversations.events.js';
import { type MessageChange, MessageCreated } from '../messages/messages.events.js';
import type { DomainEvent, Topic } from '../platform/events/event.js';
import type { Connection } from './connection.js';
import { type Change, changeIn, type HeardRoom, type Known, newRoom, note, raise } from './heard-room.js';
import { Hub } from './hub.js';
import { Reactors } from './reactors.js';

/** How long a change may wait for the one before it, which another node has yet to tell. */
const PATIENCE_MS = 250;
const MAX_ROOMS = 200_000;

/**
 * Delivers the changes of each room in the order of `rev` and each once, whichever node wrote them and in whatever
 * order they arrive. What does not come in time is asked for: `mend` reads it from the database.
 */
@Injectable()
export class RoomOrder {
  private readonly rooms = new LRUCache<string, HeardRoom>({
    max: MAX_ROOMS,
    dispose: (room) => clearTimeout(room.timer),
  });
  private mend: (conversationId: string) => void = () => undefined;

  constructor(
    private readonly hub: Hub,
    private readonly reactors: Reactors,
  ) {}

  onGap(mend: (conversationId: string) => void): void {
    this.mend = mend;
  }

  /**
   * A room as somebody read it, with who hears of it, and whom that tells that it is there: on all of their sockets, or
   * not. What is known already is newer, or on its way.
   */
  learn(
    conversationId: string,
    rev: number,
    seq: number,
    audience: readonly Topic[],
    told?: Topic,
    isToldToAll = true,
  ): void {
    const room = this.rooms.get(conversationId) ?? this.begin(conversationId, newRoom(rev, seq, []));
    for (const hearer of audience) room.audience.add(hearer);
    if (told) {
      room.left.delete(told);
      // One by one only where not everybody was: a channel has many people.
      if (isToldToAll && !audience.some((topic) => room.told.has(topic))) room.told.add(told);
    }
    if (rev <= room.rev) raise(room, seq);
  }

  /** This socket was told all of the room up to `rev`, and so of all messages up to `seq`, from the database. */
  told(connection: Connection, conversationId: string, rev: number, seq: number): void {
    const room = this.rooms.get(conversationId);
    if (room && rev <= room.rev) raise(room, seq);
    else connection.ahead.go(conversationId, rev, seq);
  }

  /** Whether somebody was told of a room that is theirs, and not that it is gone: with a session go the threads on it. */
  isKnownTo(userId: string, { id, serverId, parent }: ListedRoom): boolean {
    const person: Topic = `user:${userId}`;
    if (serverId) return this.wasTold(id, person) || (!parent && this.wasTold(id, `server:${serverId}`));
    return this.wasTold(id, person) && (!parent || this.wasTold(parent.conversationId, person));
  }

  /** Whether this audience was told of the room, and not that it is gone. */
  wasTold(conversationId: string, hearer: Topic): boolean {
    return this.rooms.peek(conversationId)?.told.has(hearer) ?? false;
  }

  known(conversationId: string): Known | undefined {
    return this.rooms.get(conversationId);
  }

  /** Whether this is the newest change that was delivered here. */
  isAt(conversationId: string, rev: number): boolean {
    return this.rooms.get(conversationId)?.rev === rev;
  }

  /** Whether all changes up to `rev` have been delivered here. */
  hasPassed(conversationId: string, rev: number): boolean {
    return (this.rooms.get(conversationId)?.rev ?? -1) >= rev;
  }

  /** Every room, with the newest change delivered. */
  *heads(): Generator<[id: string, rev: number]> {
    for (const [id, { rev }] of this.rooms.entries()) yield [id, rev];
  }

  /** The same of those rooms, as far as they are known. */
  *headsOf(ids: Iterable<string>): Generator<[id: string, rev: number]> {
    for (const id of ids) {
      const room = this.rooms.peek(id);
      if (room) yield [id, room.rev];
    }
  }

  /** Rooms outside of servers, with the people who hear of them now. */
  *people(): Generator<[id: string, hearers: Topic[]]> {
    for (const [id, { audience }] of this.rooms.entries()) {
      const hearers = [...audience].filter((topic) => topic.startsWith('user:'));
      if (hearers.length > 0) yield [id, hearers];
    }
  }

  /** The room is gone. */
  forget(conversationId: string): void {
    this.rooms.delete(conversationId);
  }

  /** The database has lost what was delivered beyond this. */
  rewind(conversationId: string, rev: number): void {
    const room = this.rooms.get(conversationId);
    if (room) room.rev = rev;
  }

  /** Waits no longer: what came early goes out over the gap, which the clients see and ask about. */
  letGo(conversationId: string): void {
    const early = this.rooms.get(conversationId)?.early;
    if (early?.size) this.mended(conversationId, Math.min(...early.keys()) - 1);
  }

  deliver(event: DomainEvent): void {
    const change = changeIn(event);
    if (!change) return this.deliverAtOnce(event);
    const room = this.rooms.get(change.conversationId);
    if (!room) {
      this.begin(change.conversationId, newRoom(change.rev - 1, 0, event.audience));
      return this.deliver(event);
    }
    if (change.rev <= room.rev) return;
    const isEarly = change.rev > room.rev + 1;
    if (isEarly || this.mustLook(room, change, event)) return this.keep(room, change, event);
    this.pass(room, change, event);
    this.release(room);
  }

  /**
   * Delivers what was read from the database, where it is news: after it nothing older is missing. A message that is new
   * here is a change to those who hold it already, since they were told more than this node had passed on.
   */
  deliverMended(change: DomainEvent<MessageChange>, isNew: boolean): void {
    const { conversationId, rev, message } = change.data;
    const room = this.rooms.get(conversationId);
    if (!room || rev <= room.rev) return;
    note(room, change.data);
    if (!isNew) return this.hub.deliver(change);
    this.hub.deliver({ ...change, type: MessageCreated.type }, { seq: message.seq, isHeld: false });
    this.hub.deliver(change, { seq: message.seq, isHeld: true });
  }

  /** Delivers a clearing that was read from the database, where it is news: whoever knows the room up to there knows it. */
  deliverCleared(event: DomainEvent<{ conversationId: string; rev: number; clearedSeq: number }>): void {
    const room = this.rooms.get(event.data.conversationId);
    if (!room || event.data.rev <= room.rev || event.data.clearedSeq <= room.clearedSeq) return;
    room.clearedSeq = event.data.clearedSeq;
    this.hub.deliver(event);
  }

  /** All up to `rev`, and of messages up to `seq`, has been delivered or left out: what came early and is newer goes out now. */
  mended(conversationId: string, rev: number, seq = 0): void {
    const room = this.rooms.get(conversationId);
    if (!room) return;
    room.rev = Math.max(room.rev, rev);
    raise(room, seq);
    for (const early of room.early.keys()) if (early <= room.rev) room.early.delete(early);
    this.release(room);
    if (room.early.size > 0) this.wait(room, conversationId);
  }

  private begin(conversationId: string, room: HeardRoom): HeardRoom {
    this.rooms.set(conversationId, room);
    return room;
  }

  private deliverAtOnce(event: DomainEvent): void {
    const { conversationId, conversation } = event.data as { conversationId?: string; conversation?: { id: string } };
    const room = this.rooms.peek(conversationId ?? conversation?.id ?? '');
    const wanted = this.stillFor(room, event);
    if (event.type === ConversationDeleted.type) this.takeFrom(wanted.audience, conversationId as string, room);
    this.hub.deliver(wanted);
  }

  /** Who is told that the room is gone must not hear after that what still waits, or comes late. */
  private takeFrom(people: readonly Topic[], conversationId: string, room: HeardRoom | undefined): void {
    for (const topic of people) {
      room?.audience.delete(topic);
      room?.told.delete(topic);
      room?.left.add(topic);
      if (topic.startsWith('server:')) room?.told.clear();
      for (const connection of this.hub.of(topic)) connection.interruptSync(conversationId);
    }
  }

  /** True while it is found out who sees this change differently: it waits, and with it what comes after. */
  private mustLook(room: HeardRoom, { rev }: Change, event: DomainEvent): boolean {
    if (room.looking === event) return true;
    const looking = this.reactors.of(event);
    if (!looking) return false;
    room.looking = event;
    const found = (personal: DomainEvent['personal']) => {
      room.looking = undefined;
      const waiting = room.early.get(rev);
      if (!waiting) return;
      room.early.set(rev, { ...waiting, personal });
      this.release(room);
    };
    // Where that fails it waits as for one that did not come: until all is read from the database.
    void looking.then(found, () => (room.looking = undefined));
    return true;
  }

  private keep(room: HeardRoom, change: Change, event: DomainEvent): void {
    room.early.set(change.rev, event);
    this.wait(room, change.conversationId);
  }

  private wait(room: HeardRoom, conversationId: string): void {
    room.timer ??= setTimeout(() => {
      room.timer = undefined;
      this.mend(conversationId);
    }, PATIENCE_MS).unref();
  }

  private release(room: HeardRoom): void {
    for (let event = room.early.get(room.rev + 1); event; event = room.early.get(room.rev + 1)) {
      const change = changeIn(event);
      if (change && this.mustLook(room, change, event)) return;
      room.early.delete(room.rev + 1);
      if (change) this.pass(room, change, event);
    }
    if (room.early.size > 0) return;
    clearTimeout(room.timer);
    room.timer = undefined;
  }

  private pass(room: HeardRoom, change: Change, event: DomainEvent): void {
    note(room, change);
    this.hub.deliver(this.stillFor(room, event));
  }

  /** Without those who have left since it was announced: the room, or the one that it hangs in. */
  private stillFor(room: HeardRoom | undefined, event: DomainEvent): DomainEvent {
    const parent = event.within === undefined ? undefined : this.rooms.peek(event.within);
    const hasLeft = (topic: Topic): boolean => Boolean(room?.left.has(topic) || parent?.left.has(topic));
    if (!event.audience.some(hasLeft)) return event;
    return { ...event, audience: event.audience.filter((topic) => !hasLeft(topic)) };
  }
}
