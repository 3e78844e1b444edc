import type { AddressInfo } from 'node:net';
import { AccessService } from '../../src/access/access.service.js';
import type { Actor } from '../../src/auth/actor.js';
import { TokensService } from '../../src/auth/tokens.service.js';
import { ConversationsService } from '../../src/conversations/conversations.service.js';
import { HistoryService } from '../../src/messages/history.service.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { EventBus } from '../../src/platform/events/event-bus.js';
import type { DomainEvent } from '../../src/platform/events/event.js';
import { HintsLost } from '../../src/platform/nodes/nodes.events.js';
import { RoomOrder } from '../../src/realtime/room-order.js';
import { ServersService } from '../../src/servers/servers/servers.service.js';
import { openSocket, type Socket } from '../support/people.js';
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
    await here.app.listen(0, '127.0.0.1');
    url = `http://127.0.0.1:${(here.app.getHttpServer().address() as AddressInfo).port}`;
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

  const open = async (): Promise<Socket> => {
    const { accessToken } = here.app.get(TokensService).issue(ada.userId, ada.loginId);
    return openSocket(url, '/api/v1/realtime', ['parley.v1', `bearer.${accessToken}`]);
  };
  const enter = () => there.app.get(AccessService).enter(ada, room, 'write');
  const say = async (content: string) =>
    (await there.app.get(MessagesService).append(await enter(), { content })).message;
  const edit = async (id: string, content: string) => there.app.get(MessagesService).edit(await enter(), id, content);
  /** What the second node announced comes to the first one now. */
  const carryOver = (events: DomainEvent[]) => {
    for (const event of events) here.app.get(EventBus).hear({ ...event, afar: true });
  };
  const readAll = () => here.app.get(EventBus).hear(HintsLost([], {}));
  /** Lets something happen once between the moment the first node has read and the moment it uses what it read. */
  const between = <S extends object>(service: S, method: keyof S, act: () => Promise<unknown> | void) => {
    const original = (service[method] as (...args: unknown[]) => Promise<unknown>).bind(service);
    (service[method] as unknown) = async (...args: unknown[]) => {
      (service[method] as unknown) = original;
      const answer = await original(...args);
      await act();
      return answer;
    };
  };
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
    between(here.app.get(HistoryService), 'changes', () => carryOver(late));
    readAll();
    await socket.next(({ message }) => message?.content === 'edited');
    expect(told(socket)).toEqual(['message.created first', 'message.updated edited']);
  });

  it('is new to those who were told of later messages in an earlier page', async () => {
    const { id } = await say('first');
    for (let n = 0; n < 100; n += 1) await say(`then ${n}`);
    news = [];
    await edit(id, 'edited');
    const late = news.splice(0);
    await edit(id, 'edited again');
    const history = here.app.get(HistoryService);
    between(history, 'changes', () => between(history, 'changes', () => carryOver(late)));
    readAll();
    await socket.next(({ message }) => message?.content === 'edited again');
    const frames = told(socket);
    expect(frames).toHaveLength(101);
    expect(frames.slice(-2)).toEqual(['message.created then 99', 'message.created edited again']);
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
