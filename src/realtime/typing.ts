import { Injectable, type OnModuleInit } from '@nestjs/common';
import { StandingChanged, StandingNoted } from '../access/access.events.js';
import { AccessService } from '../access/access.service.js';
import { audienceOf, inside, type Room } from '../access/facts.js';
import type { Writer } from '../access/pass.js';
import { MessageCreated } from '../messages/messages.events.js';
import { EventBus } from '../platform/events/event-bus.js';
import type { Topic } from '../platform/events/event.js';
import { MemberRemoved } from '../servers/memberships/memberships.events.js';
import type { Connection } from './connection.js';
import { type SomebodyTyping, TypingStarted, TypingStopped } from './typing.events.js';

/** Without another word from the client it is over after this long. */
const LASTS_MS = 8_000;
/** Somebody who goes on is told of again no sooner than this, and so often that no listener forgets them. */
const AGAIN_MS = 3_000;

interface Typist {
  /** The socket of theirs that said so last. */
  connection: Connection;
  room: Room;
  data: SomebodyTyping;
  toldAt: number;
  timer: NodeJS.Timeout;
}

/** Who is typing where, of those whose sockets are here. It is told and forgotten: nothing of it is stored. */
@Injectable()
export class Typing implements OnModuleInit {
  private readonly typists = new Map<string, Typist>();
  private readonly bySocket = new WeakMap<Connection, Set<Typist>>();

  constructor(
    private readonly bus: EventBus,
    private readonly access: AccessService,
  ) {}

  onModuleInit(): void {
    this.bus.on(MessageCreated, ({ conversationId, message }) => {
      if (message.author) this.stop(message.author.id, conversationId);
    });
    this.bus.on(MemberRemoved, ({ serverId, userId }) => {
      for (const { room } of this.those(
        (typist) => typist.data.user.id === userId && typist.room.serverId === serverId,
      )) {
        this.stop(userId, room.id);
      }
    });
    for (const kind of [StandingChanged, StandingNoted]) {
      this.bus.on(kind, ({ scope }) => {
        if (scope.startsWith('conversation:')) void this.beginAnew(scope.slice('conversation:'.length));
      });
    }
  }

  start(connection: Connection, { room, actor }: Writer): void {
    if (connection.isClosed) return;
    const key = keyOf(actor.userId, room.id);
    const known = this.typists.get(key);
    if (known) this.drop(known);
    const now = performance.now();
    const tell = !known || now - known.toldAt >= AGAIN_MS;
    const data = { conversationId: room.id, user: actor.profile };
    const timer = setTimeout(() => this.stop(actor.userId, room.id), LASTS_MS).unref();
    const typist = { connection, room, data, toldAt: tell ? now : known.toldAt, timer };
    this.typists.set(key, typist);
    this.bySocket.set(connection, (this.bySocket.get(connection) ?? new Set()).add(typist));
    if (tell) this.tell(TypingStarted, room, data);
  }

  /** Nothing where they are not typing there. */
  stop(userId: string, conversationId: string): void {
    const typist = this.typists.get(keyOf(userId, conversationId));
    if (!typist) return;
    this.drop(typist);
    this.tell(TypingStopped, typist.room, typist.data);
  }

  /** The socket is gone. */
  left(connection: Connection): void {
    for (const { data, room } of this.bySocket.get(connection) ?? []) this.stop(data.user.id, room.id);
  }

  /**
   * Who hears of the room may be others now. Those who do are told that nobody types, since they may have heard that
   * somebody does; who still types there says so again.
   */
  private async beginAnew(conversationId: string): Promise<void> {
    const before = this.those(({ room }) => room.id === conversationId);
    if (before.length === 0) return;
    before.forEach((typist) => this.drop(typist));
    // Where it cannot be read nobody is told: they find out by the clock.
    const room = await this.access.roomOf(conversationId).catch(() => undefined);
    for (const { data } of before) {
      if (room && !this.typists.has(keyOf(data.user.id, room.id))) this.tell(TypingStopped, room, data);
    }
  }

  private those(which: (typist: Typist) => boolean): Typist[] {
    return [...this.typists.values()].filter(which);
  }

  private drop(typist: Typist): void {
    clearTimeout(typist.timer);
    this.typists.delete(keyOf(typist.data.user.id, typist.room.id));
    this.bySocket.get(typist.connection)?.delete(typist);
  }

  private tell(kind: typeof TypingStarted, room: Room, data: SomebodyTyping): void {
    this.bus.publish({ ...inside(room, kind(hearersOf(room), data)), except: data.user.id });
  }
}

function keyOf(userId: string, conversationId: string): string {
  return `${userId} ${conversationId}`;
}

/** In a server who shows the conversation, else everybody it is between: they are few. */
function hearersOf(room: Room): Topic[] {
  if (!room.serverId) return audienceOf(room);
  const shown: Topic[] = [`conversation:${room.id}`];
  return room.kind === 'channel' ? [...shown, `typing:${room.serverId}`] : shown;
}
