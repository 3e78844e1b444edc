import { AccessService } from '../../src/access/access.service.js';
import type { Actor } from '../../src/auth/actor.js';
import { NoticesRead, ServerLost } from '../../src/auth/auth.events.js';
import { ConversationCreated } from '../../src/conversations/conversations.events.js';
import { ConversationsService } from '../../src/conversations/conversations.service.js';
import { MessageCreated } from '../../src/messages/messages.events.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { ThreadsService } from '../../src/messages/threads/threads.service.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { EventBus } from '../../src/platform/events/event-bus.js';
import type { DomainEvent } from '../../src/platform/events/event.js';
import { HintsLost } from '../../src/platform/nodes/nodes.events.js';
import { MemberAdded, MemberRemoved } from '../../src/servers/memberships/memberships.events.js';
import { ChannelsService } from '../../src/servers/channels/channels.service.js';
import { MembershipsService } from '../../src/servers/memberships/memberships.service.js';
import { ServersService } from '../../src/servers/servers/servers.service.js';
import { between, carryOver, listening, socketTo } from '../support/apart.js';
import type { Frame, Socket } from '../support/people.js';
import { actor, type Services, twoNodes } from '../support/services.js';

/** Two nodes on one database that tell each other nothing, unless a test carries it over; sockets are on the first. */
describe('who comes in while something is said', () => {
  let here: Services;
  let there: Services;
  let close: () => Promise<void>;
  let url: string;
  let ada: Actor;
  let bob: Actor;
  let serverId: string;
  let room: string;

  beforeAll(async () => {
    ({
      nodes: [here, there],
      close,
    } = await twoNodes());
    url = await listening(here);
  }, 60_000);
  afterAll(() => close());

  beforeEach(async () => {
    ada = await actor(here.dataSource, 'ada');
    bob = await actor(here.dataSource, 'bob');
    const server = await here.app.get(ServersService).create(ada, 'S', undefined);
    serverId = server.id;
    room = server.channels[0]?.id as string;
  });

  const enter = (person: Actor, conversationId: string, node = here) =>
    node.app.get(AccessService).enter(person, conversationId, 'write');
  const say = async (content: string, node = here) =>
    (await node.app.get(MessagesService).append(await enter(ada, room, node), { content })).message;
  const edit = async (id: string, content: string) => {
    await there.app.get(MessagesService).edit(await enter(ada, room, there), id, content);
  };
  const join = (node = here) => node.app.get(MembershipsService).add(ada, serverId, bob.userId, 'MEMBER');
  const socketOf = async (person: Actor): Promise<Socket> => {
    const socket = await socketTo(here, url, person);
    await socket.next('ready');
    return socket;
  };
  const conversations = () => here.app.get(ConversationsService);
  const revsOf = (socket: Socket) => socket.of('message.created').map(({ rev }) => rev as number);
  /** Whose answer from the database may come late. */
  const committing = () => here.app.get<{ commit(): Promise<void> }>(UnitOfWork);
  /** The first node has seen what was written of ended memberships so far. */
  const noticesRead = async () => {
    for (let looks = 0; looks < 2; looks += 1)
      await new Promise<void>((resolve) => here.app.get(EventBus).on(NoticesRead, () => resolve()));
  };
  /** What the second node announces, kept back. */
  const heldBack = () => {
    const events: DomainEvent[] = [];
    there.app.get(EventBus).forward((event) => events.push(event));
    return events;
  };
  const isCreation = ({ type }: DomainEvent) => type === ConversationCreated.type;

  it('are told on connecting of what is said after the rooms were read', async () => {
    await join();
    await say('before');
    between(conversations(), 'statesOf', () => say('meanwhile'));
    const socket = await socketOf(bob);
    const [ready] = socket.of('ready');
    expect(ready?.conversations).toMatchObject([{ id: room, rev: 1 }]);
    await say('after');
    await socket.next(({ message }) => message?.content === 'after');
    expect(revsOf(socket)).toEqual([2, 3]);
    socket.close();
  });

  it('are told of a room as it stands, where it went on while they were let in', async () => {
    await say('before');
    const socket = await socketOf(bob);
    between(conversations(), 'statesIn', () => say('meanwhile'));
    await join();
    const { conversation } = await socket.next('conversation.created');
    await say('after');
    await socket.next(({ message }) => message?.content === 'after');
    expect([conversation.rev, ...revsOf(socket)]).toEqual([2, 3]);
    socket.close();
  });

  it('hear nothing more that waited for how a room stands, where they lose it before that is known', async () => {
    await say('before');
    const socket = await socketOf(bob);
    between(conversations(), 'statesIn', () => say('meanwhile'));
    between(conversations(), 'stateOf', async () => {
      await say('while they belonged to it');
      await here.app.get(MembershipsService).remove(ada, serverId, bob.userId);
    });
    await join();
    await socket.next('member.removed');
    await socket.settle();
    expect(socket.heard.at(-2)).toMatchObject({ type: 'member.removed' });
    socket.close();
  });

  it('are told nothing twice that another node tells later than the database', async () => {
    await join();
    await say('before');
    const early = await socketOf(ada);
    const late = heldBack();
    await say('from there', there);
    const socket = await socketOf(bob);
    expect(socket.of('ready')[0]?.conversations).toMatchObject([{ rev: 2 }]);
    const synced = await socketOf(ada);
    await synced.ask({ type: 'sync', conversationId: room, afterRev: 0 });
    carryOver(
      here,
      late.filter(({ type }) => type === MessageCreated.type),
    );
    await say('after');
    for (const one of [early, socket, synced]) await one.next(({ message }) => message?.content === 'after');
    expect([early, socket, synced].map(revsOf)).toEqual([[2, 3], [3], [3]]);
    for (const one of [early, socket, synced]) one.close();
  });

  it.each([
    ['heard of the room by an older edit', (edits: DomainEvent[]) => carryOver(here, edits)],
    ['has heard nothing of the room', () => undefined],
  ])('are told of an edit as an edit, also where their node %s', async (_, hear) => {
    const [first, second] = [await say('first', there), await say('second', there)];
    const edits = heldBack();
    await edit(first.id, 'first, edited');
    hear(edits.splice(0));
    const socket = await socketOf(ada);
    await edit(second.id, 'second, edited');
    edits.splice(0);
    await edit(first.id, 'first, edited again');
    carryOver(here, edits);
    await socket.next(({ message }) => message?.content === 'first, edited again');
    expect(socket.of('message.updated').map(({ rev }) => rev as number)).toEqual([4, 5]);
    expect(revsOf(socket)).toEqual([]);
    socket.close();
  });

  it('are told of a new channel as it stands, where what was said in it came before the news of it', async () => {
    const socket = await socketOf(ada);
    const news = heldBack();
    const channel = await there.app.get(ChannelsService).create(ada, serverId, { name: 'new', type: 'TEXT' });
    await there.app.get(MessagesService).append(await enter(ada, channel.id, there), { content: 'early' });
    const [created, ...others] = news.splice(0).sort((a, b) => Number(isCreation(b)) - Number(isCreation(a)));
    carryOver(here, [...others, ...(created ? [created] : [])]);
    const { conversation } = await socket.next('conversation.created');
    expect(conversation).toMatchObject({ id: channel.id, rev: 1, lastSeq: 1, unread: 1 });
    socket.close();
  });

  it('hear nothing of a server when the news that they were let in comes after the end of it', async () => {
    const socket = await socketOf(bob);
    const late = heldBack();
    await join(there);
    await there.app.get(MembershipsService).remove(ada, serverId, bob.userId);
    carryOver(
      here,
      late.filter(({ type }) => type !== MemberRemoved.type),
    );
    await socket.next('member.removed');
    await say('among us');
    await socket.settle();
    expect(revsOf(socket)).toEqual([]);
    expect(socket.of('conversation.created')).toEqual([]);
    socket.close();
  });

  it('hear on when the news that they were removed comes after they came back', async () => {
    await join();
    const socket = await socketOf(bob);
    const late = heldBack();
    await there.app.get(MembershipsService).remove(ada, serverId, bob.userId);
    await join(there);
    carryOver(
      here,
      late.filter(({ type }) => type === MemberRemoved.type),
    );
    await socket.next(({ type, conversation }) => type === 'conversation.created' && conversation.id === room);
    await say('with bob');
    await socket.next(({ message }) => message?.content === 'with bob');
    socket.close();
  });

  it('are told that they lost a server and got it back, where no node told of either', async () => {
    await join();
    const socket = await socketOf(bob);
    await there.app.get(MembershipsService).remove(ada, serverId, bob.userId);
    await join(there);
    await socket.next('member.removed');
    await socket.next('conversation.created');
    await say('with bob');
    await socket.next(({ message }) => message?.content === 'with bob');
    socket.close();
  });

  it('are told once that they lost a server and got it back, where their node tells of both', async () => {
    await join();
    const socket = await socketOf(bob);
    await here.app.get(MembershipsService).remove(ada, serverId, bob.userId);
    await join();
    await noticesRead();
    await socket.settle();
    const told = ['member.removed', 'member.added', 'conversation.created'];
    expect(socket.heard.map(({ type }) => type).filter((type) => type !== 'ready' && type !== 'pong')).toEqual(told);
    socket.close();
  });

  it('hear on when their removal is announced late, after they came back by another node', async () => {
    await join();
    const socket = await socketOf(bob);
    between(committing(), 'commit', () => join(there));
    await here.app.get(MembershipsService).remove(ada, serverId, bob.userId);
    await socket.next('member.removed');
    await socket.next('conversation.created');
    await say('with bob');
    await socket.next(({ message }) => message?.content === 'with bob');
    socket.close();
  });

  it('hear nothing when their joining is announced late, after they were removed by another node', async () => {
    const socket = await socketOf(bob);
    between(committing(), 'commit', async () => {
      await there.app.get(MembershipsService).remove(ada, serverId, bob.userId);
      await noticesRead();
    });
    await join();
    await socket.next('member.removed');
    await say('among us');
    await socket.settle();
    expect(revsOf(socket)).toEqual([]);
    socket.close();
  });

  it('hear what another node tells of their joining, once and with the rooms', async () => {
    await say('before');
    const socket = await socketOf(bob);
    const news = heldBack();
    await join(there);
    carryOver(here, news);
    const { conversation } = await socket.next('conversation.created');
    expect(conversation).toMatchObject({ id: room, rev: 1 });
    expect(socket.of(MemberAdded.type)).toHaveLength(1);
    await say('after');
    await socket.next(({ message }) => message?.content === 'after');
    expect(socket.of('conversation.created')).toHaveLength(1);
    socket.close();
  });

  it('are told of a thread that they write in by another node, where that could not say so', async () => {
    await join();
    const { id } = await say('a thread');
    const thread = (await here.app.get(ThreadsService).open(await enter(ada, room), id)).id;
    const [hers, his] = await Promise.all([socketOf(ada), socketOf(bob)]);
    await there.app.get(MessagesService).append(await enter(bob, thread, there), { content: 'of two' });
    here.app.get(EventBus).hear(HintsLost([], {}));
    const { conversation } = await his.next('conversation.created');
    expect(conversation).toMatchObject({ id: thread, kind: 'thread', rev: 1 });
    await hers.next(({ message }) => message?.content === 'of two');
    here.app.get(EventBus).hear(HintsLost([], {}));
    await say('after');
    for (const socket of [hers, his]) await socket.next(({ message }) => message?.content === 'after');
    expect([hers, his].map((socket) => socket.of('conversation.created').length)).toEqual([0, 1]);
    for (const socket of [hers, his]) socket.close();
  });

  it('are told once of a thread that they write in several times at once', async () => {
    await join();
    const { id } = await say('a thread');
    const thread = (await here.app.get(ThreadsService).open(await enter(ada, room), id)).id;
    const socket = await socketOf(bob);
    const writer = await enter(bob, thread);
    await Promise.all(['1', '2', '3'].map((content) => here.app.get(MessagesService).append(writer, { content })));
    await socket.next('conversation.created');
    await say('after');
    await socket.next(({ message }) => message?.content === 'after');
    expect(socket.of('conversation.created')).toHaveLength(1);
    socket.close();
  });

  it('are not told by a sync of what they have yet to be told that they have', async () => {
    await join();
    await say('before');
    const socket = await socketOf(bob);
    const late = heldBack();
    await there.app.get(MembershipsService).remove(ada, serverId, bob.userId);
    await join(there);
    const asked = new Promise<Frame>((resolve) =>
      between(conversations(), 'serversOf', async () =>
        resolve(await socket.ask({ type: 'sync', conversationId: room, afterRev: 0 })),
      ),
    );
    carryOver(
      here,
      late.filter(({ type }) => type === MemberRemoved.type),
    );
    expect(await asked).toMatchObject({ type: 'error', code: 'sync_interrupted' });
    await socket.next('conversation.created');
    expect(await socket.ask({ type: 'sync', conversationId: room, afterRev: 0 })).toMatchObject({ rev: 1 });
    socket.close();
  });

  it('may show a channel at once, though another node let them in and has yet to say so', async () => {
    const socket = await socketOf(bob);
    await join(there);
    expect(await socket.ask({ type: 'subscribe', conversationId: room })).toMatchObject({ type: 'ack' });
    expect(socket.of('conversation.created')).toHaveLength(1);
    socket.close();
  });

  it('do not begin to listen to a server that they lost while their socket opened', async () => {
    await join();
    between(conversations(), 'serversOf', async () => {
      await there.app.get(MembershipsService).remove(ada, serverId, bob.userId);
      here.app.get(EventBus).hear(ServerLost([], { userId: bob.userId, serverId }));
    });
    const socket = await socketOf(bob);
    await say('among us');
    await socket.settle();
    expect(revsOf(socket)).toEqual([]);
    socket.close();
  });

  it.each([
    ['that became theirs', () => Promise.resolve()],
    [
      'that they lost and got back',
      async () => {
        await join();
        await here.app.get(MembershipsService).remove(ada, serverId, bob.userId);
      },
    ],
  ])('are told of a room %s while their socket opened as `ready` tells it, and nothing older', async (_, before) => {
    between(conversations(), 'serversOf', async () => {
      await before();
      await join();
      await say('meanwhile');
    });
    const socket = await socketOf(bob);
    await socket.settle();
    const [ready] = socket.of('ready');
    expect(ready?.conversations).toMatchObject([{ id: room, rev: 1 }]);
    expect(socket.of('conversation.created').at(-1)?.conversation).toMatchObject({ rev: 1, lastSeq: 1, unread: 1 });
    await say('after');
    await socket.next(({ message }) => message?.content === 'after');
    expect(revsOf(socket)).toEqual([2]);
    socket.close();
  });
});
