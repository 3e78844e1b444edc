import { v7 as uuidv7 } from 'uuid';
import { AccessService } from '../../src/access/access.service.js';
import type { Actor } from '../../src/auth/actor.js';
import { ConversationsService } from '../../src/conversations/conversations.service.js';
import { HistoryService } from '../../src/messages/history.service.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { EventBus } from '../../src/platform/events/event-bus.js';
import type { DomainEvent } from '../../src/platform/events/event.js';
import { HintsLost } from '../../src/platform/nodes/nodes.events.js';
import { RoomOrder } from '../../src/realtime/room-order.js';
import { ServersService } from '../../src/servers/servers/servers.service.js';
import { between, carryOver, listening, socketTo } from '../support/apart.js';
import type { Socket } from '../support/people.js';
import { actor, type Services, twoNodes } from '../support/services.js';
import { until } from '../support/until.js';

/** Two nodes on one database that tell each other nothing, unless a test carries it over; sockets are on the first. */
describe('what a node reads from the database, since another one did not tell it,', () => {
  let here: Services;
  let there: Services;
  let close: () => Promise<void>;
  let url: string;
  let ada: Actor;
  let room: string;
  let socket: Socket;
  let news: DomainEvent[];

  beforeAll(async () => {
    ({
      nodes: [here, there],
      close,
    } = await twoNodes());
    url = await listening(here);
    there.app.get(EventBus).forward((event) => news.push(event));
  }, 60_000);
  afterAll(() => close());

  beforeEach(async () => {
    ada = await actor(here.dataSource, 'ada');
    const server = await here.app.get(ServersService).create(ada, 'S', undefined);
    room = server.channels[0]?.id as string;
    socket = await open();
    await socket.next('ready');
    news = [];
  });
  afterEach(() => socket.close());

  const open = () => socketTo(here, url, ada);
  const enter = () => there.app.get(AccessService).enter(ada, room, 'write');
  const say = async (content: string) =>
    (await there.app.get(MessagesService).append(await enter(), { content })).message;
  const edit = async (id: string, content: string) => there.app.get(MessagesService).edit(await enter(), id, content);
  const draft = (content: string) => {
    return { conversationId: room, id: uuidv7(), authorId: ada.userId, role: 'user', content, mentionsEveryone: false };
  };
  const readAll = () => here.app.get(EventBus).hear(HintsLost([], {}));
  const told = (heard: Socket) =>
    ['message.created', 'message.updated']
      .flatMap((type) =>
        heard.of(type).map(({ rev, message }): [number, string] => [rev, `${type} ${message.content}`]),
      )
      .sort(([a], [b]) => a - b)
      .map(([, text]) => text);

  it('is a change to those who were told of the message while it was read', async () => {
    const { id } = await say('first');
    const late = news.splice(0);
    await edit(id, 'edited');
    between(here.app.get(HistoryService), 'changes', () => carryOver(here, late));
    readAll();
    await socket.next(({ message }) => message?.content === 'edited');
    expect(told(socket)).toEqual(['message.created first', 'message.updated edited']);
  });

  it('is told in its newest change alone where it is very much, and leaves a gap to ask about', async () => {
    const { id } = await say('first');
    await there.dataSource.query(`SELECT append_messages($1)`, [
      JSON.stringify(Array.from({ length: 1_000 }, (_, n) => draft(`then ${n}`))),
    ]);
    await edit(id, 'edited');
    readAll();
    await socket.next(({ rev }) => rev === 1_002);
    expect(told(socket)).toEqual(['message.created edited']);
    const { items } = await socket.ask({ type: 'sync', conversationId: room, afterRev: 0 });
    await socket.next(({ type, more }) => type === 'changes' && !more);
    expect(socket.of('changes').flatMap((page) => page.items)).toHaveLength(1_001);
    await edit(items[50].id, 'known, since they asked');
    readAll();
    await socket.next(({ rev }) => rev === 1_003);
    expect(told(socket)).toEqual(['message.created edited', 'message.updated known, since they asked']);
  });

  it('is a change to those who asked for the message, since it could not be read at first', async () => {
    const { id: old } = await say('old');
    carryOver(here, news.splice(0));
    const { id } = await say('lost');
    news = [];
    await edit(old, 'old, edited');
    between(here.app.get(HistoryService), 'changes', () => Promise.reject(new Error('the database is away')));
    carryOver(here, news);
    await socket.next(({ rev }) => rev === 3);
    await socket.ask({ type: 'sync', conversationId: room, afterRev: 1 });
    await edit(id, 'lost, edited');
    readAll();
    await socket.next(({ rev }) => rev === 4);
    expect(told(socket)).toEqual([
      'message.created old',
      'message.updated old, edited',
      'message.updated lost, edited',
    ]);
  });

  it('is a change to those whose `ready` counted the message already', async () => {
    const { id } = await say('first');
    between(here.app.get(ConversationsService), 'statesOf', async () => {
      await edit(id, 'edited');
      readAll();
      await socket.next(({ message }) => message?.content === 'edited');
    });
    const late = await open();
    await late.next(({ message }) => message?.content === 'edited');
    expect(late.of('ready')[0]?.conversations).toMatchObject([{ rev: 1 }]);
    expect([told(socket), told(late)]).toEqual([['message.created edited'], ['message.updated edited']]);
    late.close();
  });

  it('is a change to those whom a sync brings the message meanwhile', async () => {
    const { id } = await say('first');
    between(here.app.get(HistoryService), 'changesForMany', async () => {
      await edit(id, 'edited');
      readAll();
      await until(() => Promise.resolve(here.app.get(RoomOrder).hasPassed(room, 2)));
    });
    await socket.ask({ type: 'sync', conversationId: room, afterRev: 0 });
    await socket.next(({ message }) => message?.content === 'edited');
    expect(told(socket)).toEqual(['message.updated edited']);
  });
});
