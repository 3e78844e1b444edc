import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { administrator, openSocket, type Person, person, serverOf, type Socket } from '../support/people.js';
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
