import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ConversationDeleted } from '../conversations/conversations.events.js';
import type { ConversationState } from '../conversations/conversation-state.js';
import { type MessageChange, MessageCreated } from '../messages/messages.events.js';
import type { DomainEvent, Topic } from '../platform/events/event.js';
import type { Connection } from './connection.js';
import { Hub } from './hub.js';
import { Reactors } from './reactors.js';

/** How long a change may wait for the one before it, which another node has yet to tell. */
const PATIENCE_MS = 250;
const MAX_ROOMS = 200_000;

/** A change of a room: every event that carries `conversationId` and `rev`. */
interface Change {
  conversationId: string;
  rev: number;
  message?: { seq: number };
}

interface Room {
  /** The newest change that was delivered here. */
  rev: number;
  /** The newest message that is known here: there may be a newer one that was passed over. */
  seq: number;
  /** Who hears of it, as far as that is known: for when the room is gone and nobody else can say. */
  audience: Set<Topic>;
  /** What waits for its turn, by rev. */
  early: Map<number, DomainEvent>;
  /** What it is its turn of, while it is found out who sees it differently. */
  looking: DomainEvent | undefined;
  timer: NodeJS.Timeout | undefined;
}

/** What is known here of a room, for who reads on from there. */
export type Known = Readonly<Pick<Room, 'rev' | 'seq' | 'audience'>>;

/**
 * Delivers the changes of each room in the order of `rev` and each once, whichever node wrote them and in whatever
 * order they arrive. What does not come in time is asked for: `mend` reads it from the database.
 */
@Injectable()
export class RoomOrder {
  private readonly rooms = new LRUCache<string, Room>({
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

  /** A room as somebody who has just come in was told it. What is known already is newer, or on its way. */
  learn({ id, kind, serverId, rev, lastSeq }: ConversationState, hearer: Topic): void {
    // A thread of a server is heard by everybody there, and told of to each who takes part in it.
    const everybody: Topic[] = serverId ? [`server:${serverId}`] : [];
    const hearers = serverId && kind !== 'thread' ? everybody : [...everybody, hearer];
    const room = this.rooms.get(id);
    if (!room) return void this.rooms.set(id, newRoom(rev, lastSeq, hearers));
    for (const each of hearers) room.audience.add(each);
    if (rev <= room.rev) raise(room, lastSeq);
  }

  /** This socket was told all of the room up to `rev`, and so of all messages up to `seq`, from the database. */
  told(connection: Connection, conversationId: string, rev: number, seq: number): void {
    const room = this.rooms.get(conversationId);
    if (room && rev <= room.rev) raise(room, seq);
    else connection.ahead.go(conversationId, rev, seq);
  }

  knows(conversationId: string): boolean {
    return this.rooms.has(conversationId);
  }

  /** Whether this hearer was told of the room, and not that it is gone. */
  isKnownTo(conversationId: string, hearer: Topic): boolean {
    return this.rooms.peek(conversationId)?.audience.has(hearer) ?? false;
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

  /** Rooms outside of servers that were told to several people, with who these are. */
  *shared(): Generator<[id: string, hearers: ReadonlySet<Topic>]> {
    for (const [id, { audience }] of this.rooms.entries()) if (audience.size > 1) yield [id, audience];
  }

  /** The room is gone. */
  forget(conversationId: string): void {
    this.rooms.delete(conversationId);
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
      this.rooms.set(change.conversationId, newRoom(change.rev - 1, 0, event.audience));
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

  /** Who is told that the room is gone must not hear after that what still waits. */
  private deliverAtOnce(event: DomainEvent): void {
    if (event.type === ConversationDeleted.type) {
      const { conversationId } = event.data as Change;
      const { early, audience } = this.rooms.get(conversationId) ?? {};
      for (const topic of event.audience) {
        audience?.delete(topic);
        for (const connection of this.hub.of(topic)) connection.interruptSync(conversationId);
      }
      for (const [rev, waiting] of early ?? []) {
        early?.set(rev, { ...waiting, audience: waiting.audience.filter((topic) => !event.audience.includes(topic)) });
      }
    }
    this.hub.deliver(event);
  }

  /** True while it is found out who sees this change differently: it waits, and with it what comes after. */
  private mustLook(room: Room, { rev }: Change, event: DomainEvent): boolean {
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

  private keep(room: Room, change: Change, event: DomainEvent): void {
    room.early.set(change.rev, event);
    this.wait(room, change.conversationId);
  }

  private wait(room: Room, conversationId: string): void {
    room.timer ??= setTimeout(() => {
      room.timer = undefined;
      this.mend(conversationId);
    }, PATIENCE_MS).unref();
  }

  private release(room: Room): void {
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

  private pass(room: Room, change: Change, event: DomainEvent): void {
    note(room, change);
    this.hub.deliver(event);
  }
}

function newRoom(rev: number, seq: number, audience: readonly Topic[]): Room {
  return {
    rev,
    seq,
    audience: new Set(audience),
    early: new Map(),
    looking: undefined,
    timer: undefined,
  };
}

function note(room: Room, { rev, message }: Change): void {
  room.rev = rev;
  if (message) raise(room, message.seq);
}

/** It may have been passed over: by a first change that was of an older message, or by a gap that was let go. */
function raise(room: Room, seq: number): void {
  room.seq = Math.max(room.seq, seq);
}

function changeIn({ data }: DomainEvent): Change | undefined {
  const { conversationId, rev } = data as Partial<Change>;
  return conversationId !== undefined && rev !== undefined ? (data as Change) : undefined;
}
