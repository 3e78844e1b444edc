import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { AccessService } from '../../src/access/access.service.js';
import type { Actor } from '../../src/auth/actor.js';
import { TokensService } from '../../src/auth/tokens.service.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { ThreadsService } from '../../src/messages/threads/threads.service.js';
import { EventBus } from '../../src/platform/events/event-bus.js';
import type { DomainEvent } from '../../src/platform/events/event.js';
import { HintsLost } from '../../src/platform/nodes/nodes.events.js';
import { Hub } from '../../src/realtime/hub.js';
import { ChannelsService } from '../../src/servers/channels/channels.service.js';
import { MembershipsService } from '../../src/servers/memberships/memberships.service.js';
import { ServersService } from '../../src/servers/servers/servers.service.js';
import { PeerService } from '../../src/sessions/peer/peer.service.js';
import { SessionsService } from '../../src/sessions/sessions.service.js';
import { listening, socketTo } from './apart.js';
import { openSocket, type Socket } from './people.js';
import { actor, type Services, twoNodes } from './services.js';

/** Long enough for what should not come. */
const SILENCE_MS = 700;

/**
 * Two nodes on one database that tell each other nothing, unless a test carries it over; sockets are on the first. Each
 * test has a server of ada's, to which bob does not belong.
 */
export class TwoNodesApart {
  here: Services;
  there: Services;
  ada: Actor;
  bob: Actor;
  serverId: string;
  room: string;
  /** What the second node announced. */
  news: DomainEvent[] = [];
  private url: string;
  private closeNodes: () => Promise<void>;
  private readonly sockets: Socket[] = [];

  /** For all tests of a `describe`, which begins with this. */
  static forThese(): TwoNodesApart {
    const two = new TwoNodesApart();
    beforeAll(() => two.open(), 60_000);
    afterAll(() => two.close());
    beforeEach(() => two.begin());
    afterEach(() => two.end());
    return two;
  }

  private constructor() {}

  private async open(): Promise<void> {
    const { nodes, close } = await twoNodes();
    [this.here, this.there] = nodes;
    this.closeNodes = close;
    this.url = await listening(this.here);
    this.there.app.get(EventBus).forward((event) => this.news.push(event));
  }

  private close(): Promise<void> {
    return this.closeNodes();
  }

  private async begin(): Promise<void> {
    this.ada = await actor(this.here.dataSource, 'ada');
    this.bob = await actor(this.here.dataSource, 'bob');
    const server = await this.here.app.get(ServersService).create(this.ada, 'S', undefined);
    this.serverId = server.id;
    this.room = server.channels[0]?.id as string;
    this.news = [];
  }

  private end(): void {
    this.sockets.splice(0).forEach((socket) => socket.close());
  }

  socketOf = async (person: Actor): Promise<Socket> => {
    const socket = await socketTo(this.here, this.url, person);
    this.sockets.push(socket);
    await socket.next('ready');
    return socket;
  };

  /** As a client of the old community server opens one. It is there to be told, though nothing says so to it. */
  oldSocketOf = async ({ userId, loginId }: Actor): Promise<Socket> => {
    const { accessToken } = this.here.app.get(TokensService).issue(userId, loginId);
    const socket = await openSocket(this.url, `/chat/ws?token=${accessToken}`);
    this.sockets.push(socket);
    const { connections } = this.here.app.get(Hub);
    while ([...connections].some(({ isOpening }) => isOpening)) await sleep(10);
    return socket;
  };

  enter = (who: Actor, id: string, node = this.there) => node.app.get(AccessService).enter(who, id, 'write');

  say = async (content: string, { node = this.there, id = this.room, who = this.ada } = {}) =>
    (await node.app.get(MessagesService).append(await this.enter(who, id, node), { content })).message;

  edit = async (messageId: string, content: string) =>
    this.there.app.get(MessagesService).edit(await this.enter(this.ada, this.room), messageId, content);

  add = (who: Actor, node = this.here) =>
    node.app.get(MembershipsService).add(this.ada, this.serverId, who.userId, 'MEMBER');

  remove = (who: Actor, node = this.here) =>
    node.app.get(MembershipsService).remove(this.ada, this.serverId, who.userId);

  channel = (node = this.there) =>
    node.app.get(ChannelsService).create(this.ada, this.serverId, { name: 'new', type: 'TEXT' });

  session = async () => (await this.there.app.get(SessionsService).create(this.ada, { type: 'peer' })).session.id;

  /** On a new message of ada's in this room; gives its id. */
  thread = async ({ id = this.room, node = this.there, who = this.ada } = {}) => {
    const parent = await this.say('parent', { id, node });
    return (await node.app.get(ThreadsService).open(await this.enter(who, id, node), parent.id)).id;
  };

  peers = (node = this.there) => node.app.get(PeerService);

  advocate = async (): Promise<Actor> => {
    const person = await actor(this.here.dataSource, 'advocate');
    await this.here.dataSource.query(`UPDATE users SET is_advocate = true WHERE id = $1`, [person.userId]);
    return { ...person, isAdvocate: true };
  };

  /** The first node finds that it was not told something. */
  readAll = () => this.here.app.get(EventBus).hear(HintsLost([], {}));

  wait = () => sleep(SILENCE_MS);
}

/** What a socket heard of a room or a server, each as type, content and rev. */
export function about(socket: Socket, id: string): string[] {
  return socket.heard
    .filter(({ type }) => type !== 'ready' && type !== 'pong')
    .filter(({ conversationId, conversation, serverId }) => [conversationId, conversation?.id, serverId].includes(id))
    .map(({ type, message, rev }) => [type, message?.content, rev].filter((part) => part !== undefined).join(' '));
}

/** Waits until a socket has heard this of a room, and a little longer for what should not follow. */
export async function heard(socket: Socket, id: string, expected: string[]): Promise<string[]> {
  for (let tries = 0; tries < 200 && !isDeepStrictEqual(about(socket, id), expected); tries += 1) await sleep(50);
  await sleep(100);
  return about(socket, id);
}
