import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import {
  administrator,
  type Frame,
  openSocket,
  type Person,
  person,
  serverOf,
  type Socket,
} from '../support/people.js';
import { runApp, type RunningApp } from '../support/run-app.js';

const SECRET_KEY = 'k9Jw2LqZ8vXr4TnB7mYcP3sHdF6gA1eU0oRiW5';

describe('what a screen shows of people', () => {
  let database: TestDatabase;
  let app: RunningApp;
  let ada: Person;
  let bob: Person;
  let eve: Person;
  let serverId: string;
  let room: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    const env = { DATABASE_URL: database.url, SECRET_KEY, RATE_LIMIT: 'off' };
    app = await runApp(env);
    ada = await person(app.url, 'ada');
    bob = await person(app.url, 'bob');
    eve = await person(app.url, 'eve');
    ({ id: serverId, general: room } = await serverOf(ada, bob));
    const root = await administrator(app.url, env);
    await root.patch(`/admin/users/${bob.id}`, { isAdvocate: true });
  }, 60_000);

  afterAll(async () => {
    await app.stop();
    await database.drop();
  }, 60_000);

  const subscribed = async (who: Person, conversationId: string): Promise<Socket> => {
    const socket = await who.socket();
    expect(await socket.ask({ type: 'subscribe', conversationId })).toMatchObject({ type: 'ack' });
    return socket;
  };

  const threadIn = async (conversationId: string): Promise<string> => {
    const { id } = await ada.say(conversationId, 'to talk about');
    return (await ada.post(`/conversations/${conversationId}/messages/${id}/thread`)).body.id;
  };

  /** What everybody in the room has heard of typing there, after all that was said to it has come. */
  const typingHeard = async (conversationId: string, ...sockets: Socket[]) => {
    await Promise.all(sockets.map((socket) => socket.settle()));
    return sockets.map(({ heard }) =>
      heard
        .filter((frame) => frame.conversationId === conversationId && frame.type.startsWith('typing.'))
        .map(({ type, user }) => `${type} ${user.username}`),
    );
  };

  describe('of typing', () => {
    it('tells the others who subscribed to the channel, of no more than it must', async () => {
      const { general } = await serverOf(ada, bob, eve);
      const [hers, herOther, his] = await Promise.all([ada, ada, bob].map((who) => subscribed(who, general)));
      const elsewhere = await eve.socket();
      const typing = { type: 'typing.start', conversationId: general };
      for (let i = 0; i < 20; i += 1) hers!.send(typing);
      expect(await his!.next('typing.start')).toEqual({
        type: 'typing.start',
        conversationId: general,
        user: expect.objectContaining({ id: ada.id, username: ada.name, kind: 'human' }),
      });
      hers!.send({ type: 'typing.stop', conversationId: general });
      hers!.send({ type: 'typing.stop', conversationId: general });
      await hers!.settle();
      const all = await typingHeard(general, hers!, herOther!, his!, elsewhere);
      expect(all).toEqual([[], [], [`typing.start ${ada.name}`, `typing.stop ${ada.name}`], []]);
      for (const socket of [hers!, herOther!, his!, elsewhere]) socket.close();
    });

    it('is over with the message, with the socket, and by itself', async () => {
      const { general } = await serverOf(ada, bob);
      const his = await subscribed(bob, general);
      const hers = await ada.socket();
      const typing = { type: 'typing.start', conversationId: general };
      const over = async (end: () => unknown) => {
        const count = his.of('typing.stop').length;
        hers.send(typing);
        await hers.settle();
        await end();
        await his.next((frame) => frame.type === 'typing.stop' && his.of('typing.stop').length > count);
      };
      await over(() => hers.ask({ type: 'message.send', conversationId: general, content: 'sent' }));
      await over(() => ada.say(general, 'sent over REST'));
      await over(() => undefined);
      await over(() => hers.close());
      expect(his.of('typing.start')).toHaveLength(4);
      his.close();
    }, 30_000);

    it('tells who unsubscribed, left, or was removed nothing from that moment on', async () => {
      const { id, general } = await serverOf(ada, bob, eve);
      const [hers, his, eves] = await Promise.all([ada, bob, eve].map((who) => subscribed(who, general)));
      hers!.send({ type: 'typing.start', conversationId: general });
      await Promise.all([his!.next('typing.start'), eves!.next('typing.start')]);
      expect(await his!.ask({ type: 'unsubscribe', conversationId: general })).toMatchObject({ type: 'ack' });
      await ada.delete(`/servers/${id}/members/${eve.id}`);
      hers!.send({ type: 'typing.stop', conversationId: general });
      await hers!.settle();
      // A membership that is given again brings no subscription back.
      await ada.post(`/servers/${id}/members`, { userId: eve.id });
      hers!.send({ type: 'typing.start', conversationId: general });
      await hers!.settle();
      const [, ofBob, ofEve] = await typingHeard(general, hers!, his!, eves!);
      expect([ofBob, ofEve]).toEqual([[`typing.start ${ada.name}`], [`typing.start ${ada.name}`]]);
      for (const socket of [hers!, his!, eves!]) socket.close();
    });

    it('is over for those who stay, where who types is removed or leaves', async () => {
      const { id, general } = await serverOf(ada, bob, eve);
      const [his, eves] = [await subscribed(bob, general), await eve.socket()];
      eves.send({ type: 'typing.start', conversationId: general });
      await his.next('typing.start');
      await ada.delete(`/servers/${id}/members/${eve.id}`);
      await his.next('typing.stop');

      const session = (await ada.post('/sessions', { type: 'peer', advocateId: bob.id })).body.id;
      const hers = await ada.socket();
      his.send({ type: 'typing.start', conversationId: session });
      await hers.next('typing.start');
      expect((await bob.post(`/sessions/${session}/release`)).status).toBe(204);
      await hers.next('typing.stop');
      expect(await typingHeard(general, eves)).toEqual([[]]);
      expect(await typingHeard(session, hers)).toEqual([[`typing.start ${bob.name}`, `typing.stop ${bob.name}`]]);
      for (const socket of [his, eves, hers]) socket.close();
    });

    it('tells the other side of a session, which need not subscribe', async () => {
      const session = (await ada.post('/sessions', { type: 'peer', advocateId: bob.id })).body;
      const [hers, his] = await Promise.all([ada.socket(), bob.socket()]);
      hers.send({ type: 'typing.start', conversationId: session.id });
      await his.next((frame) => frame.type === 'typing.start' && frame.user.id === ada.id);
      his.send({ type: 'typing.start', conversationId: session.id });
      await hers.next((frame) => frame.type === 'typing.start' && frame.user.id === bob.id);
      hers.close();
      his.close();
    });

    it('tells all others of a direct conversation and of a thread in it, who need not subscribe', async () => {
      const { id } = (await ada.post('/directs', { userIds: [bob.id, eve.id] })).body;
      const thread = await threadIn(id);
      const stranger = await person(app.url, 'stranger');
      const sockets = await Promise.all([ada, bob, eve, stranger].map((who) => who.socket()));
      for (const conversationId of [id, thread]) {
        sockets[0]!.send({ type: 'typing.start', conversationId });
        const isStart = (frame: Frame) => frame.type === 'typing.start' && frame.conversationId === conversationId;
        await Promise.all(sockets.slice(1, 3).map((socket) => socket.next(isStart)));
        await bob.say(conversationId, 'of another, which ends nothing');
        await ada.say(conversationId, 'said');
        const isStop = (frame: Frame) => frame.type === 'typing.stop' && frame.conversationId === conversationId;
        await Promise.all(sockets.slice(1, 3).map((socket) => socket.next(isStop)));
        const heard = [`typing.start ${ada.name}`, `typing.stop ${ada.name}`];
        expect(await typingHeard(conversationId, ...sockets)).toEqual([[], heard, heard, []]);
      }
      for (const socket of sockets) socket.close();
    });

    it('tells of a thread in a channel those who show that thread, and not those who show the channel', async () => {
      const { id, general } = await serverOf(ada, bob, eve);
      const thread = await threadIn(general);
      const hers = await ada.socket();
      const [showsThread, showsChannel] = await Promise.all([subscribed(bob, thread), subscribed(eve, general)]);
      hers.send({ type: 'typing.start', conversationId: thread });
      await showsThread.next('typing.start');
      await ada.delete(`/servers/${id}/members/${bob.id}`);
      await hers.settle();
      hers.send({ type: 'typing.stop', conversationId: thread });
      await hers.settle();
      expect(await typingHeard(thread, showsThread, showsChannel)).toEqual([[`typing.start ${ada.name}`], []]);
      for (const socket of [hers, showsThread, showsChannel]) socket.close();
    });

    it('goes both ways between the old socket and the new', async () => {
      const old = await openSocket(app.url, `/chat/ws?token=${bob.token}`);
      const eves = await openSocket(app.url, `/chat/ws?token=${eve.token}`);
      const hers = await subscribed(ada, room);
      hers.send({ type: 'typing.start', conversationId: room });
      expect(await old.next('typing_start')).toEqual({
        type: 'typing_start',
        username: ada.name,
        serverId,
        channelId: room,
      });
      hers.send({ type: 'typing.stop', conversationId: room });
      await old.next('typing_stop');
      old.send({ type: 'typing_start', serverId, channelId: room });
      await hers.next((frame) => frame.type === 'typing.start' && frame.user.id === bob.id);
      old.send({ type: 'typing_stop', serverId, channelId: room });
      await hers.next((frame) => frame.type === 'typing.stop' && frame.user.id === bob.id);
      eves.send({ type: 'typing_start', serverId, channelId: room });
      expect(await eves.next('error')).toMatchObject({ message: expect.stringContaining('not exist') });
      expect([old.of('typing_start').length, eves.of('typing_start').length]).toEqual([1, 0]);
      for (const socket of [old, eves, hers]) socket.close();
    });
  });

  describe('of who is here', () => {
    const statusOf = (who: Person) => (frame: { type: string; [field: string]: any }) =>
      frame.type === 'presence' && frame.userId === who.id;
    const becomes = (socket: Socket, who: Person, status: string, times = 1) =>
      socket.next(() => socket.of('presence').filter((f) => statusOf(who)(f) && f.status === status).length >= times);
    const listed = async (by: Person, server: string, who: Person) =>
      (await by.get(`/servers/${server}/members`)).body.items.find(({ user }: any) => user.id === who.id).presence;

    it('tells who shows a channel how the members look, and nobody else', async () => {
      const [carl, dora, finn] = await Promise.all(['carl', 'dora', 'finn'].map((name) => person(app.url, name)));
      const { id, general } = await serverOf(ada, carl!, dora!, finn!);
      const away = await dora!.socket();
      expect(await away.ask({ type: 'presence.set', status: 'away' })).toMatchObject({ type: 'ack' });
      const hidden = await finn!.socket();
      await hidden.ask({ type: 'presence.set', status: 'invisible' });
      const screen = await ada.socket();
      const [blind, outside] = [await bob.socket(), await subscribed(bob, room)];
      const { presence, morePresence } = await screen.ask({ type: 'subscribe', conversationId: general });
      expect([presence, morePresence]).toEqual([[{ userId: dora!.id, status: 'away' }], false]);

      const first = await carl!.socket();
      await becomes(screen, carl!, 'online');
      await first.ask({ type: 'presence.set', status: 'dnd' });
      await becomes(screen, carl!, 'dnd');
      expect(await Promise.all([carl!, dora!, finn!, ada].map((who) => listed(ada, id, who)))).toEqual([
        'dnd',
        'away',
        'offline',
        'online',
      ]);
      await hidden.ask({ type: 'presence.set', status: 'online' });
      await becomes(screen, finn!, 'online');
      await hidden.ask({ type: 'presence.set', status: 'invisible' });
      await becomes(screen, finn!, 'offline');

      const second = await subscribed(ada, general);
      await screen.ask({ type: 'unsubscribe', conversationId: general });
      await away.ask({ type: 'presence.set', status: 'online' });
      await becomes(second, dora!, 'online');
      await screen.settle();
      expect(screen.of('presence').filter((f) => statusOf(dora!)(f) && f.status === 'online')).toEqual([]);
      expect([...blind.of('presence'), ...outside.of('presence')].filter(({ userId }) => userId !== ada.id)).toEqual(
        [],
      );
      for (const socket of [away, hidden, screen, blind, outside, first, second]) socket.close();
    }, 30_000);

    it('remembers over all devices what somebody chose, and waits ten seconds after the last is gone', async () => {
      const gina = await person(app.url, 'gina');
      const { general } = await serverOf(ada, gina);
      const screen = await subscribed(ada, general);
      const [phone, desk] = [await gina.socket(), await gina.socket()];
      await becomes(screen, gina, 'online');
      await phone.ask({ type: 'presence.set', status: 'dnd' });
      await desk.next((frame) => frame.type === 'presence' && frame.userId === gina.id && frame.status === 'dnd');
      await becomes(screen, gina, 'dnd');
      phone.close();
      await phone.closed;
      const closing = Date.now();
      desk.close();
      await desk.closed;
      const back = await gina.socket();
      expect(back.of('ready')[0]).toMatchObject({ presence: 'dnd' });
      back.close();
      await becomes(screen, gina, 'offline');
      expect(Date.now() - closing).toBeGreaterThanOrEqual(10_000);
      expect(
        screen
          .of('presence')
          .filter(statusOf(gina))
          .map(({ status }) => status),
      ).toEqual(['online', 'dnd', 'offline']);
      screen.close();
    }, 40_000);

    it('shows who is gone for a moment only, since nothing is told when they come back', async () => {
      const ines = await person(app.url, 'ines');
      const { id, general } = await serverOf(ada, ines);
      const hers = await ines.socket();
      hers.close();
      await hers.closed;
      const screen = await ada.socket();
      const { presence } = await screen.ask({ type: 'subscribe', conversationId: general });
      expect([presence, await listed(ada, id, ines)]).toEqual([[{ userId: ines.id, status: 'online' }], 'online']);
      screen.close();
    });

    it('tells a removed person nothing more of the others, and shows newcomers', async () => {
      const hugo = await person(app.url, 'hugo');
      const { id, general } = await serverOf(ada, bob);
      const hugos = await hugo.socket();
      const [hers, his] = [await subscribed(ada, general), await subscribed(bob, general)];
      await ada.post(`/servers/${id}/members`, { userId: hugo.id });
      await Promise.all([becomes(hers, hugo, 'online'), becomes(his, hugo, 'online')]);
      await ada.delete(`/servers/${id}/members/${bob.id}`);
      await hugos.ask({ type: 'presence.set', status: 'away' });
      await becomes(hers, hugo, 'away');
      await his.settle();
      expect(
        his
          .of('presence')
          .filter(statusOf(hugo))
          .map(({ status }) => status),
      ).toEqual(['online']);
      for (const socket of [hugos, hers, his]) socket.close();
    });

    it('tells those in a direct conversation, and in threads, of each other', async () => {
      const [kim, lea] = await Promise.all([person(app.url, 'kim'), person(app.url, 'lea')]);
      const direct = (await kim.post('/directs', { userIds: [lea.id] })).body.id;
      const { general } = await serverOf(kim, lea);
      const { id: messageId } = await kim.say(direct, 'hello');
      const aside = (await kim.post(`/conversations/${direct}/messages/${messageId}/thread`)).body.id;
      const { id: root } = await kim.say(general, 'hello');
      const thread = (await kim.post(`/conversations/${general}/messages/${root}/thread`)).body.id;
      const hers = await lea.socket();
      await hers.ask({ type: 'presence.set', status: 'away' });
      const shown = await Promise.all([direct, aside, thread].map((id) => subscribed(kim, id)));
      const unshown = await kim.socket();
      for (const socket of shown) {
        const answer = socket.heard.find(({ type, presence }) => type === 'ack' && presence);
        expect(answer?.presence).toContainEqual({ userId: lea.id, status: 'away' });
      }
      await hers.ask({ type: 'presence.set', status: 'invisible' });
      await Promise.all(shown.map((socket) => becomes(socket, lea, 'offline')));
      await unshown.settle();
      expect(unshown.of('presence')).toEqual([]);
      for (const socket of [...shown, hers, unshown]) socket.close();
    });

    it('tells the two sides of a session of each other', async () => {
      const iris = await person(app.url, 'iris');
      const { id } = (await iris.post('/sessions', { type: 'peer', advocateId: bob.id })).body;
      const his = await subscribed(bob, id);
      const hers = await iris.socket();
      await becomes(his, iris, 'online');
      const { presence } = await hers.ask({ type: 'subscribe', conversationId: id });
      expect(presence).toEqual([{ userId: bob.id, status: 'online' }]);
      expect(await hers.ask({ type: 'presence.set', status: 'busy' })).toMatchObject({ code: 'validation_failed' });
      his.close();
      hers.close();
    });
  });

  describe('of what is refused', () => {
    it('subscribes and types only where one may', async () => {
      const socket = await eve.socket();
      for (const type of ['subscribe', 'typing.start', 'typing.stop']) {
        expect(await socket.ask({ type, conversationId: room })).toMatchObject({ code: 'not_found' });
        expect(await socket.ask({ type, conversationId: 'general' })).toMatchObject({ code: 'validation_failed' });
      }
      socket.close();
    });

    it('lets no socket subscribe to more than a hundred conversations', async () => {
      const agent = (await eve.get('/agents')).body.items[0].id;
      const socket = await eve.socket();
      const answers: string[] = [];
      for (let i = 0; i < 101; i += 1) {
        const { id } = (await eve.post('/sessions', { type: 'agent', agentId: agent })).body;
        const { type, code } = await socket.ask({ type: 'subscribe', conversationId: id });
        answers.push(code ?? type);
      }
      expect([new Set(answers.slice(0, 100)), answers[100]]).toEqual([new Set(['ack']), 'too_many_subscriptions']);
      socket.close();
    }, 30_000);
  });
});
