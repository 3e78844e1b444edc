import { at, type Community, messageAs, openCommunity, statuses, THUMB } from '../support/community.js';
import { type Person, serverOf } from '../support/people.js';

describe('threads', () => {
  let community: Community;
  let room: string;
  let ada: Person;
  let mod: Person;
  let bob: Person;
  let past: Person;
  let eve: Person;
  let query: Community['query'];

  beforeAll(async () => {
    community = await openCommunity();
    ({ room, ada, mod, bob, past, eve, query } = community);
  }, 60_000);

  afterAll(() => community.close(), 60_000);

  const open = (who: Person, conversationId: string, messageId: string) =>
    who.post(at(conversationId, messageId, '/thread'));

  it('are conversations on a message, opened once, with counters of their own', async () => {
    const { id: server, general } = await serverOf(ada, bob, mod);
    const { id } = await ada.say(general, 'what about lunch?');
    const opened = await open(ada, general, id);
    expect([opened.status, opened.body]).toEqual([
      201,
      {
        ...{ id: expect.any(String), kind: 'thread', title: null, serverId: server, unread: 0, mentions: 0 },
        ...{ parent: { conversationId: general, messageId: id }, lastMessage: null, lastMessageAt: null },
        ...{ lastSeq: 0, rev: 0, lastReadSeq: 0 },
        notifications: { level: 'mentions', mutedUntil: null, inherited: true },
      },
    ]);
    const thread = opened.body.id;
    expect(await open(bob, general, id)).toMatchObject({ status: 200, body: { id: thread } });
    expect(await messageAs(mod, general, id)).toMatchObject({ threadId: thread, rev: 2 });
    await bob.say(thread, 'pizza');
    await bob.say(thread, 'or soup');
    expect((await ada.get(`/conversations/${thread}`)).body).toMatchObject({ lastSeq: 2, unread: 2 });
    expect((await ada.get(`/conversations/${general}`)).body).toMatchObject({ lastSeq: 1, unread: 0 });
    await ada.put(`/conversations/${thread}/read`, { seq: 1 });
    expect((await ada.get(`/conversations/${thread}`)).body).toMatchObject({ lastReadSeq: 1, unread: 1 });
  });

  it('stand in the inbox of those who take part, and are read by everybody who reads the parent', async () => {
    const { id } = await ada.say(room, 'who takes part?');
    const socket = await bob.socket();
    const thread = (await open(ada, room, id)).body.id;
    const inbox = async (who: Person) =>
      (await who.get('/conversations?kind=thread&limit=100')).body.items.some((each: any) => each.id === thread);
    expect(await Promise.all([ada, bob, mod].map(inbox))).toEqual([true, false, false]);
    await ada.say(thread, 'hello');
    expect((await socket.next((frame) => frame.conversationId === thread)).message.content).toBe('hello');
    expect((await bob.get(`/conversations/${thread}`)).body).toMatchObject({ id: thread, unread: 1 });
    expect((await bob.get(`/conversations/${thread}/messages`)).body.items).toHaveLength(1);
    await open(bob, room, id);
    const created = await socket.next((frame) => frame.conversation?.id === thread);
    expect(created).toMatchObject({ type: 'conversation.created', conversation: { lastSeq: 1, unread: 1 } });
    expect(await Promise.all([ada, bob, mod].map(inbox))).toEqual([true, true, false]);
    const ready = (await bob.socket()).heard[0];
    const { title: _, ...standing } = created.conversation;
    expect(ready?.conversations).toContainEqual(standing);
    await ada.say(thread, 'the word is syzygy');
    const found = await Promise.all([mod, eve].map((who) => who.get('/search?q=syzygy')));
    expect(found.map(({ body }) => body.items.map(({ conversation }: any) => conversation.id))).toEqual([[thread], []]);
    socket.close();
  });

  it('of a conversation are listed, latest activity first, page by page, to everybody who reads it', async () => {
    const { id: server, general } = await serverOf(ada, bob, mod);
    const threads: string[] = [];
    for (const content of ['one', 'two', 'three', 'four', 'five']) {
      threads.push((await open(ada, general, (await ada.say(general, content)).id)).body.id);
    }
    const [first = '', , third = ''] = threads;
    await bob.say(third, 'about three');
    await ada.say(first, 'about one');
    const list = (who: Person, cursor = '') =>
      who.get(`/conversations/${general}/threads?limit=2${cursor && `&cursor=${cursor}`}`);
    const pages = [(await list(mod)).body];
    while (pages.at(-1).nextCursor) pages.push((await list(mod, pages.at(-1).nextCursor)).body);
    expect(pages.map(({ items }) => items.length)).toEqual([2, 2, 1]);
    const [one, three, ...others] = pages.flatMap(({ items }) => items);
    expect([one, three, ...others].map(({ id }) => id)).toEqual([first, third, threads[4], threads[3], threads[1]]);
    expect(three).toEqual((await mod.get(`/conversations/${third}`)).body);
    expect(three).toMatchObject({ serverId: server, unread: 1, lastMessage: { content: 'about three' } });
    expect((await mod.get('/conversations?kind=thread')).body.items.map(({ id }: any) => id)).not.toContain(third);
    expect((await mod.get(`/conversations/${third}/threads`)).body).toEqual({ items: [], nextCursor: null });
    expect(statuses([await list(eve), await list(mod, 'made-up')])).toEqual([404, 400]);
  });

  it('have the people and the rights of the parent', async () => {
    const { id: server, general } = await serverOf(ada, bob, past);
    const { id } = await bob.say(general, 'rights');
    const thread = (await open(past, general, id)).body.id;
    const { id: said } = await past.say(thread, 'I was here');
    expect((await bob.delete(at(thread, said))).status).toBe(403);
    expect((await bob.put(at(thread, said, '/pin'))).status).toBe(403);
    expect((await ada.put(at(thread, said, '/pin'))).status).toBe(200);
    expect((await bob.put(at(thread, said, `/reactions/${THUMB}`))).status).toBe(200);
    expect(await open(bob, thread, said)).toMatchObject({ status: 409, body: { code: 'thread_in_thread' } });
    for (const path of [`/channels/${thread}`, `/sessions/${thread}`]) {
      expect((await ada.patch(path, path.startsWith('/channels') ? { name: 'x' } : { title: 'x' })).status).toBe(404);
    }
    const socket = await past.socket();
    await ada.delete(`/servers/${server}/members/${past.id}`);
    await bob.say(thread, 'not for past ears');
    const answers = [
      await past.get(`/conversations/${thread}`),
      await past.get(`/conversations/${thread}/messages`),
      await past.post(`/conversations/${thread}/messages`, { content: 'still here' }),
      await past.delete(at(thread, said)),
      await open(past, general, id),
      await eve.get(`/conversations/${thread}`),
    ];
    expect(statuses(answers)).toEqual([404, 404, 404, 404, 404, 404]);
    expect(JSON.stringify((await past.get('/conversations')).body)).not.toContain(thread);
    await socket.settle();
    expect(JSON.stringify(socket.heard)).not.toContain('not for past ears');
    await ada.post(`/servers/${server}/members`, { userId: past.id });
    expect((await past.get(`/conversations/${thread}`)).body).toMatchObject({ unread: 0, lastReadSeq: 2 });
    socket.close();
  });

  it('in a session belong to its people, close with it, and go with what they hang on', async () => {
    const echo = (await bob.get('/agents')).body.items[0].id;
    const session = (await bob.post('/sessions', { type: 'agent', agentId: echo })).body.id;
    const socket = await bob.socket();
    const { id } = await bob.say(session, 'a question');
    await socket.next((frame) => frame.message?.role === 'agent');
    const thread = (await open(bob, session, id)).body.id;
    await bob.say(thread, 'aside');
    expect((await eve.get(`/conversations/${thread}`)).status).toBe(404);
    await bob.patch(`/sessions/${session}`, { status: 'closed' });
    expect(await bob.post(`/conversations/${thread}/messages`, { content: 'x' })).toMatchObject({
      status: 409,
      body: { code: 'session_closed' },
    });
    await bob.patch(`/sessions/${session}`, { status: 'open' });
    expect(await bob.say(thread, 'open again')).toMatchObject({ seq: 2, role: 'user' });
    await bob.delete(`/conversations/${session}/messages`);
    await socket.next((frame) => frame.type === 'conversation.deleted' && frame.conversationId === thread);
    expect((await bob.get(`/conversations/${thread}`)).status).toBe(404);
    const left = await query(`SELECT id FROM conversations WHERE id = '${thread}'`);
    expect(left).toEqual([]);
    socket.close();
  });

  it('outlive the text of their message, and not its channel', async () => {
    const { id: server } = await serverOf(ada, bob);
    const channel = (await ada.post(`/servers/${server}/channels`, { name: 'lunch', type: 'TEXT' })).body.id;
    const [first, second] = [await bob.say(channel, 'lunch?'), await bob.say(channel, 'tea?')];
    const thread = (await open(ada, channel, first.id)).body.id;
    await bob.say(thread, 'yes');
    await bob.delete(at(channel, first.id));
    await bob.delete(at(channel, second.id));
    expect(await messageAs(bob, channel, first.id)).toMatchObject({ content: null, threadId: thread });
    expect(await open(bob, channel, first.id)).toMatchObject({ status: 200, body: { id: thread } });
    expect(await open(bob, channel, second.id)).toMatchObject({ status: 409, body: { code: 'message_deleted' } });
    await ada.delete(`/channels/${channel}`);
    expect((await bob.get(`/conversations/${thread}`)).status).toBe(404);
    expect(await query(`SELECT id FROM conversations WHERE id = '${thread}'`)).toEqual([]);
  });

  it('on a session are in the export of whose session it is, with what others said there', async () => {
    await query(`UPDATE users SET is_advocate = true WHERE id = '${bob.id}'`);
    const session = (await ada.post('/sessions', { type: 'peer', advocateId: bob.id })).body.id as string;
    const { id } = await ada.say(session, 'help');
    const thread = (await open(bob, session, id)).body.id as string;
    const answer = await bob.say(thread, 'with this');
    const exported = await ada.exported('message');
    expect(exported.find((message) => message.id === answer.id)).toMatchObject({
      conversationId: thread,
      content: 'with this',
    });
  });
});
