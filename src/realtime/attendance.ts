import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import pLimit from 'p-limit';
import { ServerLost } from '../auth/auth.events.js';
import type { ConversationState, ListedRoom } from '../conversations/conversation-state.js';
import { ConversationCreated } from '../conversations/conversations.events.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { LOOKS, OutcomeUnknown } from '../platform/database/outcome.events.js';
import { EventBus } from '../platform/events/event-bus.js';
import type { Topic } from '../platform/events/event.js';
import { MemberRemoved } from '../servers/memberships/memberships.events.js';
import { CLOSE } from './close-codes.js';
import type { Connection } from './connection.js';
import { Hub } from './hub.js';
import { Newcomers } from './newcomers.js';
import { RoomOrder } from './room-order.js';

const LOOK_MS = 1_000;
/** What is asked of the database for so many goes together. */
const AT_ONCE = 128;

/**
 * Holds what open sockets listen to against the database: when a notice says that somebody left a server on another
 * node, and when events were lost.
 */
@Injectable()
export class Attendance implements OnModuleInit {
  private readonly inTurn = pLimit(AT_ONCE);
  /** Who was just told that they left which server: the notice of that comes within the second. */
  private readonly toldLeft = new LRUCache<string, true>({ max: 10_000, ttl: 2_000 });
  /** Who was told that they joined which server while the database is still asked about it. */
  private readonly toldJoined = new Set<string>();

  constructor(
    private readonly bus: EventBus,
    private readonly hub: Hub,
    private readonly order: RoomOrder,
    private readonly conversations: ConversationsService,
    private readonly newcomers: Newcomers,
  ) {}

  onModuleInit(): void {
    this.bus.on(ServerLost, ({ userId, serverId }) => {
      const topic: Topic = `server:${serverId}`;
      for (const connection of this.connectionsOf(userId)) if (connection.isOpening) connection.lost.add(topic);
      if (!this.listening(userId).has(topic)) return;
      // Where nobody told of it here and they have it again already, they may have been refused something meanwhile.
      if (!this.toldLeft.has(`${userId} ${serverId}`)) this.drop(userId, serverId);
      this.confirm(userId);
    });
    this.bus.on(OutcomeUnknown, ({ people }) => {
      const all = people.flatMap((topic) => [...this.hub.of(topic)].map(({ actor }) => actor.userId));
      const look = () => {
        for (const userId of new Set(all)) this.confirm(userId);
      };
      look();
      // It may be about to commit what it was sent before it hung.
      for (let n = 1; n < LOOKS; n += 1) setTimeout(look, n * LOOK_MS).unref();
    });
  }

  /** Everybody who is here. What they gained or lost meanwhile they are told as if it happened now. */
  async review(): Promise<void> {
    const people = new Set([...this.hub.connections].map(({ actor }) => actor.userId));
    const news: [string, ConversationState[]][] = [];
    const look = async (userId: string) => void news.push([userId, await this.newsFor(userId)]);
    const looks = await Promise.allSettled([...people].map((userId) => this.inTurn(() => look(userId))));
    // Told after all have been looked at: two people here may have gained the same room.
    for (const [userId, rooms] of news) this.tell(userId, rooms);
    const failed = looks.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Holds what somebody here listens to against the database, where another node says that it changed. */
  confirm(userId: string): void {
    if (this.connectionsOf(userId).length > 0) void this.look(userId);
  }

  /** Tells somebody who is here what is found, and does the rest in the same turn of the event loop. Never throws. */
  look(userId: string, rest = (): void => undefined): Promise<void> {
    const look = async () => {
      this.tell(userId, await this.newsFor(userId));
      rest();
    };
    return this.inTurn(look).catch(() => this.cut(userId));
  }

  /**
   * They are told that they belong to it. What is told of memberships may come in another order than it was done in: the
   * database knows how it ended.
   */
  joined(userId: string, serverId: string, afar = false): void {
    const topic: Topic = `server:${serverId}`;
    const connections = this.connectionsOf(userId);
    if (!afar) for (const connection of connections) this.hub.subscribe(connection, topic);
    if (connections.length === 0) return;
    const membership = `${userId} ${serverId}`;
    this.toldJoined.add(membership);
    const dropUnlessJoined = () => {
      if (this.toldJoined.has(membership) && !this.listening(userId).has(topic)) this.drop(userId, serverId);
    };
    void this.look(userId, dropUnlessJoined).finally(() => this.toldJoined.delete(membership));
  }

  /**
   * Open sockets hear nothing of the server from now on; who has come back by now is told so. Gives whether that is news
   * to them: a notice, or a look at the database, may have told them before.
   */
  left(userId: string, serverId: string): boolean {
    const isNews =
      this.toldJoined.has(`${userId} ${serverId}`) ||
      this.connectionsOf(userId).some(({ topics, isOpening }) => isOpening || topics.has(`server:${serverId}`));
    this.deafen(userId, serverId);
    this.confirm(userId);
    return isNews;
  }

  /** A room as this person was told it: from now on its changes come in order. */
  learn({ id, kind, serverId, rev, lastSeq }: ConversationState, userId: string): void {
    const person: Topic = `user:${userId}`;
    const audience: Topic = serverId ? `server:${serverId}` : person;
    const isTold = (topic: Topic): boolean => this.order.wasTold(id, topic) || !this.isSomebodyHere(topic);
    const hearer = kind === 'channel' && isTold(audience) ? audience : person;
    this.order.learn(id, rev, lastSeq, [audience], hearer, isTold(hearer));
  }

  /** What was lost first: who came back to it meanwhile has gained it. */
  private async newsFor(userId: string): Promise<ConversationState[]> {
    await this.dropLost(userId);
    return this.roomsGained(userId);
  }

  private async dropLost(userId: string): Promise<void> {
    // Taken first: a server that is joined while the database is asked is not in the answer and must not be dropped.
    const listening = this.listening(userId);
    for (const serverId of await this.conversations.serversOf(userId)) listening.delete(`server:${serverId}`);
    // Where it was told meanwhile, nobody listens any more.
    const still = this.listening(userId);
    for (const topic of listening) if (still.has(topic)) this.drop(userId, topic.slice('server:'.length));
  }

  private drop(userId: string, serverId: string): void {
    this.hub.deliver(MemberRemoved([`user:${userId}`], { serverId, userId }));
    this.deafen(userId, serverId);
  }

  private deafen(userId: string, serverId: string): void {
    const membership = `${userId} ${serverId}`;
    this.toldLeft.set(membership, true);
    this.toldJoined.delete(membership);
    for (const connection of this.connectionsOf(userId)) this.hub.unsubscribe(connection, `server:${serverId}`);
  }

  private tell(userId: string, rooms: ConversationState[]): void {
    for (const conversation of rooms) this.newcomers.tell(ConversationCreated([`user:${userId}`], { conversation }));
  }

  /** What they may hear cannot be found out, and they lost something: they come back when it can. */
  private cut(userId: string): void {
    for (const connection of this.connectionsOf(userId)) connection.close(CLOSE.internal, 'the database is away');
  }

  private async roomsGained(userId: string): Promise<ConversationState[]> {
    const servers = await this.conversations.serversOf(userId);
    const lacks = (id: string) => this.connectionsOf(userId).some(({ topics }) => !topics.has(`server:${id}`));
    const gained = new Set(servers.filter(lacks));
    const fresh = this.connectionsOf(userId).flatMap((connection) =>
      [...gained]
        .map((id): [Connection, Topic] => [connection, `server:${id}`])
        .filter(([, topic]) => !connection.topics.has(topic)),
    );
    for (const [connection, topic] of fresh) this.hub.subscribe(connection, topic);
    const isGained = (room: ListedRoom): boolean =>
      (room.serverId !== null && gained.has(room.serverId)) || !this.order.isKnownTo(userId, room);
    try {
      // Listened first and read then: whoever lost the server in between is found out now.
      if (gained.size > 0) await this.dropLost(userId);
      // Mostly there are none, and their counters cost more than all else that is asked here.
      if (!(await this.conversations.roomsOf(userId)).some(isGained)) return [];
      return (await this.conversations.statesOf(userId)).filter(isGained);
    } catch (error) {
      // They hear nothing of what they were not told that it is theirs: the next look finds it again.
      for (const [connection, topic] of fresh) this.hub.unsubscribe(connection, topic);
      throw error;
    }
  }

  /** Whoever opens a socket now is told of a room with that; who has one, also of the same person, is not. */
  private isSomebodyHere(topic: Topic): boolean {
    for (const { isOpening } of this.hub.of(topic)) if (!isOpening) return true;
    return false;
  }

  private connectionsOf(userId: string): Connection[] {
    return [...this.hub.of(`user:${userId}`)];
  }

  private listening(userId: string): Set<Topic> {
    const topics = this.connectionsOf(userId).flatMap((connection) => [...connection.topics]);
    return new Set(topics.filter((topic) => topic.startsWith('server:')));
  }
}
