import { jest } from '@jest/globals';
import { AccessService } from '../../src/access/access.service.js';
import type { Actor } from '../../src/auth/actor.js';
import { HistoryService } from '../../src/messages/history.service.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { CatchingUp } from '../../src/realtime/catching-up.js';
import { PeerService } from '../../src/sessions/peer/peer.service.js';
import { SessionsService } from '../../src/sessions/sessions.service.js';
import { MembershipsService } from '../../src/servers/memberships/memberships.service.js';
import { ServersService } from '../../src/servers/servers/servers.service.js';
import { between, listening, socketTo } from '../support/apart.js';
import type { Socket } from '../support/people.js';
import { actor, type Services, servicesOnOwnDatabase } from '../support/services.js';
import { about } from '../support/two-nodes-apart.js';

describe('a sync during which the room is lost', () => {
  let services: Services;
  let url: string;
  let owner: Actor;
  let ada: Actor;
  let serverId: string;
  let room: string;
  let socket: Socket;

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
    url = await listening(services);
  }, 60_000);
  afterAll(() => services.close());

  beforeEach(async () => {
    [owner, ada] = [await actor(services.dataSource, 'owner'), await actor(services.dataSource, 'ada')];
    const server = await services.app.get(ServersService).create(owner, 'S', undefined);
    [serverId, room] = [server.id, server.channels[0]?.id as string];
    await join();
    socket = await socketTo(services, url, ada);
    await socket.next('ready');
  });
  afterEach(() => socket.close());

  const memberships = () => services.app.get(MembershipsService);
  const join = () => memberships().add(owner, serverId, ada.userId, 'MEMBER');
  const remove = () => memberships().remove(owner, serverId, ada.userId);
  const enter = (actor: Actor, id = room) => services.app.get(AccessService).enter(actor, id, 'write');
  const say = async (content: string) => services.app.get(MessagesService).append(await enter(owner), { content });
  const sync = (conversationId = room) => socket.ask({ type: 'sync', conversationId, afterRev: 0 });

  it('brings nothing that was said after that', async () => {
    const history = services.app.get(HistoryService);
    const read = history.changesForMany.bind(history);
    jest.spyOn(history, 'changesForMany').mockImplementationOnce(async (...asked) => {
      await remove();
      await say('not for Ada');
      return read(...asked);
    });
    expect(await sync()).toMatchObject({ type: 'error', code: 'not_found' });
  });

  it('brings nothing more where it is there again: what they knew of it they have forgotten', async () => {
    await say('early');
    between(services.app.get(CatchingUp), 'changes', async () => {
      await remove();
      await join();
    });
    expect(await sync()).toMatchObject({ type: 'error', code: 'sync_interrupted' });
    expect((await sync()).items).toMatchObject([{ content: 'early' }]);
  });

  it('lets nothing go any more that waited for its end', async () => {
    between(services.app.get(CatchingUp), 'changes', async () => {
      await say('while they belonged to it');
      await remove();
    });
    expect(await sync()).toMatchObject({ type: 'error', code: 'not_found' });
    await socket.settle();
    expect([about(socket, serverId), about(socket, room)]).toEqual([['member.removed'], []]);
  });

  it('lets go what has waited since it is there again', async () => {
    between(services.app.get(CatchingUp), 'changes', async () => {
      await say('before');
      await remove();
      await join();
      await socket.next('conversation.created');
      await say('after');
    });
    expect(await sync()).toMatchObject({ type: 'error', code: 'sync_interrupted' });
    await socket.settle();
    expect(about(socket, room)).toEqual(['conversation.created', 'message.created after 2']);
  });

  it('brings nothing more to an advocate who let go of a session and took it again', async () => {
    const { dataSource, app } = services;
    await dataSource.query(`UPDATE users SET is_advocate = true WHERE id = $1`, [ada.userId]);
    const advocate = { ...ada, isAdvocate: true };
    const { id } = (await app.get(SessionsService).create(owner, { type: 'peer' })).session;
    const peers = app.get(PeerService);
    await peers.claim(advocate, id);
    await socket.next('conversation.created');
    between(app.get(CatchingUp), 'changes', async () => {
      await peers.release(await app.get(AccessService).enter(advocate, id, 'write'));
      await peers.claim(advocate, id);
    });
    expect(await sync(id)).toMatchObject({ type: 'error', code: 'sync_interrupted' });
    expect(await sync(id)).toMatchObject({ type: 'changes' });
  });
});
