import { type Person, person, serverOf, type Socket } from '../support/people.js';
import { runApp, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

describe('mentions', () => {
  let database: TestDatabase;
  let app: RunningApp;
  let ada: Person;
  let mod: Person;
  let bob: Person;
  let eve: Person;
  let serverId: string;
  let room: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    app = await runApp({ DATABASE_URL: database.url, RATE_LIMIT: 'off' });
    [ada, mod, bob, eve] = (await Promise.all(['ada', 'mod', 'bob', 'eve'].map((name) => person(app.url, name)))) as [
      Person,
      Person,
      Person,
      Person,
    ];
  }, 60_000);

  beforeEach(async () => {
    ({ id: serverId, general: room } = await serverOf(ada, bob));
    await ada.post(`/servers/${serverId}/members`, { userId: mod.id, role: 'MODERATOR' });
  });

  afterAll(async () => {
    await app.stop();
    await database.drop();
  }, 60_000);

  const counters = async (who: Person, id = room) => {
    const { unread, mentions } = (await who.get(`/conversations/${id}`)).body;
    return { unread, mentions };
  };

  it('are resolved as a message is stored, among those who see the conversation, and never in code', async () => {
    const past = await person(app.url, 'past');
    await ada.post(`/servers/${serverId}/members`, { userId: past.id });
    await ada.delete(`/servers/${serverId}/members/${past.id}`);
    const content = [
      `@${bob.name.toUpperCase()}, ask @${ada.name}. Or @${bob.name}!`,
      `Not @${eve.name}, who never was here, nor @${past.name}, nor @nobody_at_all, nor x@${mod.name}`,
      `nor \`@${mod.name}\``,
      `\`\`\`\n@${mod.name}\n\`\`\``,
    ].join('\n');
    const sent = await ada.say(room, content);
    expect(sent).toMatchObject({ content, mentions: [bob.id, ada.id], mentionsEveryone: false });
    expect((await bob.get(`/conversations/${room}/messages`)).body.items[0]).toEqual(sent);
    expect(await Promise.all([ada, bob, mod].map((who) => counters(who)))).toEqual([
      { unread: 0, mentions: 0 },
      { unread: 1, mentions: 1 },
      { unread: 1, mentions: 0 },
    ]);
  });

  it('find a name that ends like a sentence, and rather the whole of it', async () => {
    const dotted = await person(app.url, 'dot');
    await dotted.patch('/users/me', { username: `${bob.name}.` });
    await ada.post(`/servers/${serverId}/members`, { userId: dotted.id });
    expect((await ada.say(room, `@${bob.name}`)).mentions).toEqual([bob.id]);
    expect((await ada.say(room, `@${bob.name}.`)).mentions).toEqual([dotted.id]);
    expect((await ada.say(room, `@${bob.name}..`)).mentions).toEqual([dotted.id]);
    await ada.delete(`/servers/${serverId}/members/${dotted.id}`);
    expect((await ada.say(room, `@${bob.name}.`)).mentions).toEqual([bob.id]);
  });

  it('of everybody are for moderators, and count for all but their author', async () => {
    expect(await bob.say(room, '@everyone @here')).toMatchObject({ mentions: [], mentionsEveryone: false });
    expect(await mod.say(room, 'listen, @Everyone')).toMatchObject({ mentions: [], mentionsEveryone: true });
    expect(await ada.say(room, `@everyone, @here, and @${bob.name} above all`)).toMatchObject({
      mentions: [bob.id],
      mentionsEveryone: true,
    });
    expect(await mod.say(room, '`@everyone` is how')).toMatchObject({ mentionsEveryone: false });
    expect(await Promise.all([ada, mod, bob].map((who) => counters(who)))).toEqual([
      { unread: 3, mentions: 1 },
      { unread: 2, mentions: 1 },
      { unread: 3, mentions: 2 },
    ]);
  });

  it('of those who are here reach who looks so at that moment, and nobody else', async () => {
    const away = await person(app.url, 'away');
    const gone = await person(app.url, 'gone');
    for (const { id } of [away, gone]) await ada.post(`/servers/${serverId}/members`, { userId: id });
    const sockets = await Promise.all([ada, bob, away, mod, eve].map((who) => who.socket()));
    const [hers, his, theirs, hidden] = sockets as [Socket, Socket, Socket, Socket];
    await theirs.ask({ type: 'presence.set', status: 'away' });
    await hidden.ask({ type: 'presence.set', status: 'invisible' });

    const { id, ...sent } = await ada.say(room, `now @here, and @${gone.name} when he is`);
    expect(sent).toMatchObject({ mentionsEveryone: false });
    expect(sent.mentions[0]).toBe(gone.id);
    expect(sent.mentions.slice(1).sort()).toEqual([bob.id, away.id].sort());
    expect(await Promise.all([ada, bob, away, gone, mod].map((who) => counters(who)))).toEqual([
      { unread: 0, mentions: 0 },
      { unread: 1, mentions: 1 },
      { unread: 1, mentions: 1 },
      { unread: 1, mentions: 1 },
      { unread: 1, mentions: 0 },
    ]);
    expect(await his.next('notification')).toMatchObject({ reason: 'mention', messageId: id });
    expect((await bob.say(room, '@here')).mentions).toEqual([]);
    expect((await ada.say(room, '`@here`')).mentions).toEqual([]);

    const edited = (await ada.patch(`/conversations/${room}/messages/${id}`, { content: '@here?' })).body;
    expect(edited.mentions.sort()).toEqual([bob.id, away.id].sort());
    const thread = (await ada.post(`/conversations/${room}/messages/${id}/thread`)).body.id;
    expect((await ada.say(thread, '@here')).mentions.sort()).toEqual([bob.id, away.id].sort());

    for (let i = 0; i < 20; i += 1) {
      hers.send({ type: 'message.send', conversationId: room, content: i % 3 ? `${i}` : `${i} @here` });
    }
    await his.next((frame) => frame.message?.content === '19');
    const heard = his.of('message.created').filter(({ message }) => /^\d/.test(message.content as string));
    expect(heard.map(({ message }) => Number.parseInt(message.content))).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );

    await hidden.ask({ type: 'presence.set', status: 'online' });
    expect((await ada.say(room, '@here')).mentions).toContain(mod.id);
    for (const socket of sockets) socket.close();
  });

  it('are counted after the marker, in the inbox and in ready alike, exactly up to 99 and then 100', async () => {
    const socket = await ada.socket();
    for (let i = 0; i < 100; i += 1) {
      socket.send({ type: 'message.send', conversationId: room, content: i % 2 ? `@${bob.name} ${i}` : '@everyone' });
    }
    await socket.next((frame) => frame.message?.seq === 100);
    expect(await counters(bob)).toEqual({ unread: 100, mentions: 100 });
    await bob.put(`/conversations/${room}/read`, { seq: 1 });
    expect(await counters(bob)).toEqual({ unread: 99, mentions: 99 });
    const listed = (await bob.get('/conversations?limit=100')).body.items.find(({ id }: any) => id === room);
    const his = await bob.socket();
    const ready = his.heard[0]?.conversations.find(({ id }: any) => id === room);
    expect([listed.mentions, ready.mentions]).toEqual([99, 99]);
    expect(await counters(mod)).toEqual({ unread: 100, mentions: 50 });
    await bob.put(`/conversations/${room}/read`, { seq: 100 });
    expect(await counters(bob)).toEqual({ unread: 0, mentions: 0 });
    socket.close();
    his.close();
  });

  it('follow edits and go with the message', async () => {
    const at = (id: string) => `/conversations/${room}/messages/${id}`;
    const { id } = await ada.say(room, 'nobody');
    const edited = await ada.patch(at(id), { content: `@${bob.name} and @everyone` });
    expect(edited.body).toMatchObject({ mentions: [bob.id], mentionsEveryone: true });
    expect(await Promise.all([bob, mod].map((who) => counters(who)))).toEqual([
      { unread: 1, mentions: 1 },
      { unread: 1, mentions: 1 },
    ]);
    expect((await ada.patch(at(id), { content: `@${mod.name}` })).body).toMatchObject({
      mentions: [mod.id],
      mentionsEveryone: false,
    });
    expect(await counters(bob)).toEqual({ unread: 1, mentions: 0 });
    await ada.patch(at(id), { content: `@${bob.name} @everyone` });
    await mod.delete(at(id));
    expect((await bob.get(`/conversations/${room}/messages`)).body.items[0]).toMatchObject({
      mentions: [],
      mentionsEveryone: false,
    });
    expect(await counters(bob)).toEqual({ unread: 0, mentions: 0 });
  });

  it('in a session find its people alone, and in a thread those of its parent', async () => {
    const session = (await bob.post('/sessions', { type: 'peer' })).body.id;
    expect((await bob.say(session, `@${bob.name} @${ada.name} @everyone`)).mentions).toEqual([bob.id]);
    const { id } = await ada.say(room, 'a topic');
    const thread = (await ada.post(`/conversations/${room}/messages/${id}/thread`)).body.id;
    expect((await ada.say(thread, `@${bob.name} @${eve.name}`)).mentions).toEqual([bob.id]);
    expect(await counters(bob, thread)).toEqual({ unread: 1, mentions: 1 });
  });

  it('keep the order in which one socket sends, and the frame says what a fresh load says', async () => {
    const [hers, his] = await Promise.all([ada.socket(), bob.socket()]);
    for (let i = 0; i < 60; i += 1) {
      hers.send({
        type: 'message.send',
        conversationId: room,
        content: i % 2 ? `${i}` : `${i} @${bob.name} @everyone`,
      });
    }
    await his.next((frame) => frame.message?.seq === 60);
    const heard = his.of('message.created').map(({ message }) => message);
    expect(heard.map(({ content }) => Number.parseInt(content))).toEqual(Array.from({ length: 60 }, (_, i) => i));
    expect(heard).toEqual((await bob.get(`/conversations/${room}/messages?limit=100`)).body.items);
    expect(heard.filter(({ mentionsEveryone }) => mentionsEveryone)).toHaveLength(30);
    hers.close();
    his.close();
  });

  it('make who writes in a thread take part in it, and tell them so', async () => {
    const { id } = await ada.say(room, 'join in');
    const thread = (await ada.post(`/conversations/${room}/messages/${id}/thread`)).body.id;
    await ada.say(thread, `@${bob.name}, what do you think?`);
    const socket = await bob.socket();
    expect(socket.heard[0]?.conversations.map((each: any) => each.id)).not.toContain(thread);
    await socket.ask({ type: 'message.send', conversationId: thread, content: 'much' });
    const { conversation } = await socket.next('conversation.created');
    expect(conversation).toMatchObject({ id: thread, kind: 'thread', lastSeq: 2, unread: 1, mentions: 1 });
    await bob.say(thread, 'more');
    await socket.settle();
    expect(socket.of('conversation.created')).toHaveLength(1);
    const inbox = (await bob.get('/conversations?kind=thread')).body.items.map((each: any) => each.id);
    expect(inbox).toContain(thread);
    expect(JSON.stringify((await mod.get('/conversations?kind=thread')).body)).not.toContain(thread);
    socket.close();
  });

  it('are part of what an account exports, and outlive it as ids of nobody', async () => {
    const leaver = await person(app.url, 'leaver');
    await ada.post(`/servers/${serverId}/members`, { userId: leaver.id });
    const sent = await ada.say(room, `@${leaver.name} and @${bob.name}`);
    expect(await leaver.exported('mention')).toEqual([{ type: 'mention', conversationId: room, seq: sent.seq }]);
    await leaver.delete('/users/me');
    expect((await bob.get(`/conversations/${room}/messages`)).body.items[0]).toEqual(sent);
    expect((await ada.say(room, `@${leaver.name}`)).mentions).toEqual([]);
    expect(await counters(bob)).toEqual({ unread: 2, mentions: 1 });
  });
});
