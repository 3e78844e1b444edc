import { administrator, type Person, person } from '../support/people.js';
import { runApp, runCommand, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const ECHO = '01990000-0000-7000-8000-000000000001';

describe('peer support', () => {
  let database: TestDatabase;
  let app: RunningApp;
  let root: Person;
  let ada: Person;
  let bob: Person;
  let cleo: Person;

  beforeAll(async () => {
    database = await createTestDatabase();
    const env = { DATABASE_URL: database.url, RATE_LIMIT: 'off' };
    app = await runApp(env);
    root = await administrator(app.url, env);
    [ada, bob, cleo] = (await Promise.all(['ada', 'bob', 'cleo'].map((name) => person(app.url, name)))) as [
      Person,
      Person,
      Person,
    ];
    for (const { id } of [bob, cleo]) await root.patch(`/admin/users/${id}`, { isAdvocate: true });
  }, 60_000);

  afterAll(async () => {
    await app.stop();
    await database.drop();
  }, 60_000);

  const open = async (body: object = {}, owner = ada): Promise<any> =>
    (await owner.post('/sessions', { type: 'peer', ...body })).body;
  const queueOf = async (advocate: Person): Promise<any[]> =>
    (await advocate.get('/sessions/queue?limit=100')).body.items;
  const about = (id: string) => (frame: any) => (frame.sessionId ?? frame.session?.id) === id;
  const statuses = async (who: Person, id: string) => [
    (await who.get(`/sessions/${id}`)).status,
    (await who.get(`/conversations/${id}/messages`)).status,
    (await who.get(`/conversations/${id}/changes?after=0`)).status,
    (await who.post(`/conversations/${id}/messages`, { content: 'hello' })).status,
    (await who.put(`/conversations/${id}/read`, { seq: 1 })).status,
  ];
  const HIDDEN = [404, 404, 404, 404, 404];

  it('lets somebody wait, tells them where they stand, and the advocates that they wait', async () => {
    const sockets = await Promise.all([bob.socket(), cleo.socket(), ada.socket()]);
    const first = await open({ title: 'I am unwell' });
    await ada.say(first.id, 'a secret of mine');
    const second = await open({}, root);
    expect(first).toMatchObject({
      type: 'peer',
      advocate: null,
      queue: { position: 1, waitingSince: first.createdAt },
    });
    expect((await root.get(`/sessions/${second.id}`)).body.queue.position).toBe(2);
    const queue = await queueOf(bob);
    expect(queue.map(({ id }) => id)).toEqual([first.id, second.id]);
    expect(queue[0]).toEqual({
      id: first.id,
      owner: expect.objectContaining({ id: ada.id }),
      waitingSince: first.createdAt,
    });
    for (const socket of sockets.slice(0, 2)) {
      expect(await socket.next(about(first.id))).toEqual({ type: 'session.queued', session: queue[0] });
    }
    await sockets[2].settle();
    expect(sockets[2].of('session.queued')).toEqual([]);
    expect(JSON.stringify([queue, sockets[0].heard])).not.toMatch(/secret|unwell/);
    expect(await statuses(bob, first.id)).toEqual(HIDDEN);
    const page = (await bob.get('/sessions/queue?limit=1')).body;
    const next = (await bob.get(`/sessions/queue?limit=1&cursor=${page.nextCursor}`)).body;
    expect([page.items[0].id, next.items[0].id, next.nextCursor]).toEqual([first.id, second.id, null]);
    for (const { id, owner } of queue) await (owner.id === ada.id ? ada : root).delete(`/sessions/${id}`);
    for (const { id } of queue)
      await sockets[0].next((frame) => frame.type === 'session.dequeued' && frame.sessionId === id);
    expect(await queueOf(bob)).toEqual([]);
    sockets.forEach((socket) => socket.close());
  });

  it('shows the queue to advocates alone, and lets nobody else claim', async () => {
    const { id } = await open();
    expect((await ada.get('/sessions/queue')).status).toBe(403);
    expect((await ada.post(`/sessions/${id}/claim`)).status).toBe(404);
    expect((await root.post(`/sessions/${id}/claim`)).status).toBe(404);
    expect((await bob.post('/sessions/01990000-0000-7000-8000-00000000dead/claim')).status).toBe(404);
    expect((await bob.post(`/sessions/${(await open({ type: 'agent', agentId: ECHO })).id}/claim`)).status).toBe(404);
    const own = await open({}, bob);
    expect((await bob.post(`/sessions/${own.id}/claim`)).status).toBe(403);
    expect((await queueOf(bob)).map((item) => item.id)).toEqual([id]);
    await Promise.all([ada.delete(`/sessions/${id}`), bob.delete(`/sessions/${own.id}`)]);
  });

  it('refuses to let anybody claim what they may not see as it refuses what is not there', async () => {
    const { id } = await open();
    const taken = await open({ advocateId: cleo.id });
    const withAgent = await open({ type: 'agent', agentId: ECHO });
    const { body: server } = await ada.post('/servers', { name: 'Hers' });
    const refused = async (who: Person, claimed: string) => {
      const { status, body } = await who.post(`/sessions/${claimed}/claim`);
      return { ...body, status, requestId: null };
    };
    const nothing = await refused(root, '01990000-0000-7000-8000-00000000dead');
    expect(nothing.status).toBe(404);
    for (const each of [id, taken.id, withAgent.id, server.channels[0].id]) {
      expect(await refused(root, each)).toEqual(nothing);
    }
    for (const each of [withAgent.id, server.channels[0].id]) expect(await refused(bob, each)).toEqual(nothing);
    await Promise.all([id, taken.id, withAgent.id].map((each) => ada.delete(`/sessions/${each}`)));
  });

  it('gives a session to who claims it, with what was said, from then on until they release it', async () => {
    const [hers, his, others] = await Promise.all([ada.socket(), bob.socket(), cleo.socket()]);
    const { id } = await open();
    await ada.say(id, 'before');
    const claimed = await bob.post(`/sessions/${id}/claim`);
    expect([claimed.status, claimed.body]).toMatchObject([200, { id, advocate: { id: bob.id }, queue: null }]);
    // As after an answer that was lost.
    expect((await bob.post(`/sessions/${id}/claim`)).status).toBe(200);
    expect((await cleo.post(`/sessions/${id}/claim`)).body.code).toBe('already_claimed');
    const event = { type: 'session.claimed', sessionId: id, advocate: { id: bob.id } };
    for (const socket of [hers, his, others])
      expect(await socket.next((frame) => frame.type === event.type)).toMatchObject(event);
    expect(await his.next('conversation.created')).toMatchObject({
      conversation: { id, kind: 'session', rev: 1, unread: 1 },
    });
    const changed = await hers.next((frame) => frame.type === 'conversation.updated' && frame.conversation.advocate);
    expect(changed.conversation).toMatchObject({ id, advocate: { id: bob.id } });
    expect(await statuses(bob, id)).toEqual([200, 200, 200, 201, 200]);
    expect(await statuses(cleo, id)).toEqual(HIDDEN);
    expect((await bob.get('/sessions')).body.items.map((session: any) => session.id)).toEqual([id]);
    const heard = await hers.next((frame) => frame.message?.content === 'hello');
    expect(heard.message).toMatchObject({ role: 'peer', author: { id: bob.id } });

    expect((await ada.post(`/sessions/${id}/release`)).status).toBe(403);
    expect((await cleo.post(`/sessions/${id}/release`)).status).toBe(404);
    expect((await bob.post(`/sessions/${id}/release`)).status).toBe(204);
    expect(await statuses(bob, id)).toEqual(HIDDEN);
    await ada.say(id, 'after the release');
    expect(await his.ask({ type: 'sync', conversationId: id, afterRev: 0 })).toMatchObject({ code: 'not_found' });
    await his.settle();
    expect(JSON.stringify(his.heard)).not.toContain('after the release');
    expect(his.of('conversation.deleted')).toMatchObject([{ conversationId: id }]);
    expect((await bob.get('/sessions')).body.items).toEqual([]);
    expect((await bob.get('/conversations')).body.items.map((room: any) => room.id)).not.toContain(id);
    expect((await queueOf(cleo)).map((item) => item.id)).toEqual([id]);
    await ada.delete(`/sessions/${id}`);
    [hers, his, others].forEach((socket) => socket.close());
  });

  it('lets nothing through to who has left, however much is said in that moment', async () => {
    const { id } = await open({ advocateId: bob.id });
    const [hers, his] = await Promise.all([ada.socket(), bob.socket()]);
    let released = false;
    const speak = async (content: string) => {
      await hers.ask({ type: 'message.send', conversationId: id, content });
      if (!released) await speak(content);
    };
    const speakers = Array.from({ length: 8 }, (_, i) => speak(`speaker ${i}`));
    await his.next('message.created');
    await bob.post(`/sessions/${id}/release`);
    released = true;
    await Promise.all(speakers);
    await speak('the last word');
    await his.next('conversation.deleted');
    await his.settle();
    const left = his.heard.findIndex(({ type }) => type === 'conversation.deleted');
    expect(his.heard.slice(left).filter(({ message }) => message)).toEqual([]);
    expect(JSON.stringify(his.heard)).not.toContain('the last word');
    await ada.delete(`/sessions/${id}`);
    hers.close();
    his.close();
  });

  it('hands a session from one advocate to another', async () => {
    const { id } = await open({ advocateId: bob.id });
    const [his, others] = await Promise.all([bob.socket(), cleo.socket()]);
    const transfer = (who: Person, advocateId: string) => who.post(`/sessions/${id}/transfer`, { advocateId });
    expect((await transfer(cleo, cleo.id)).status).toBe(404);
    expect((await transfer(ada, cleo.id)).status).toBe(403);
    for (const nobody of [root.id, ada.id, '01990000-0000-7000-8000-00000000dead']) {
      const refused = await transfer(bob, nobody);
      expect([refused.status, refused.body.errors[0].path]).toEqual([400, 'advocateId']);
    }
    expect((await transfer(bob, cleo.id)).status).toBe(204);
    expect(await statuses(bob, id)).toEqual(HIDDEN);
    expect(await statuses(cleo, id)).toEqual([200, 200, 200, 201, 200]);
    expect(await his.next('conversation.deleted')).toMatchObject({ conversationId: id });
    expect(await others.next('conversation.created')).toMatchObject({ conversation: { id } });
    await others.settle();
    expect(others.of('session.queued')).toEqual([]);
    await ada.delete(`/sessions/${id}`);
    his.close();
    others.close();
  });

  it('tells each side when the other has read, and that time stays', async () => {
    const { id } = await open({ advocateId: bob.id });
    const [hers, his] = await Promise.all([ada.socket(), bob.socket()]);
    const [first] = [await ada.say(id, 'one', 'once'), await ada.say(id, 'two'), await bob.say(id, 'three')];
    const timesFor = async (who: Person, where = ''): Promise<(string | null)[]> =>
      (await who.get(`/conversations/${id}/messages${where}`)).body.items.map((message: any) => message.readAt);
    expect(await timesFor(ada)).toEqual([null, null, null]);
    const readUpTo = async (who: Person, seq: number, hearer = hers): Promise<string> => {
      await who.put(`/conversations/${id}/read`, { seq });
      const event = await hearer.next((frame) => frame.type === 'read' && frame.userId === who.id && frame.seq === seq);
      return event.readAt;
    };
    const [one, two] = [await readUpTo(bob, 1), await readUpTo(bob, 3)];
    expect(one).toMatch(/^\d{4}-.*Z$/);
    expect(await timesFor(ada)).toEqual([one, two, null]);
    const three = await readUpTo(ada, 3, his);
    for (const who of [ada, bob]) expect(await timesFor(who)).toEqual([one, two, three]);
    for (const path of ['/conversations?kind=session&limit=1', `/conversations/${id}`]) {
      const { body } = await ada.get(path);
      expect((body.items?.[0] ?? body).lastMessage).toMatchObject({ content: 'three', readAt: three });
    }
    expect(await ada.say(id, 'one', 'once')).toMatchObject({ id: first.id, readAt: one });
    expect(await timesFor(ada, '?around=2')).toEqual([one, two, three]);
    expect((await ada.get(`/conversations/${id}/changes?after=0`)).body.items[0].readAt).toBe(one);
    await ada.patch(`/conversations/${id}/messages/${first.id}`, { content: 'one, edited' });
    expect((await his.next('message.updated')).message.readAt).toBe(one);
    await bob.post(`/sessions/${id}/transfer`, { advocateId: cleo.id });
    await ada.say(id, 'four');
    const four = await readUpTo(cleo, 4);
    expect(await timesFor(ada)).toEqual([one, two, three, four]);
    await ada.delete(`/sessions/${id}`);
    hers.close();
    his.close();
  });

  it('is closed and opened again by either, and renamed by its owner alone', async () => {
    const { id } = await open({ advocateId: bob.id });
    expect((await bob.patch(`/sessions/${id}`, { title: 'mine' })).status).toBe(403);
    expect((await ada.patch(`/sessions/${id}`, { title: '  hers ' })).body.title).toBe('hers');
    expect((await ada.patch(`/sessions/${id}`, { title: '   ' })).status).toBe(400);
    expect((await bob.patch(`/sessions/${id}`, { status: 'closed' })).body).toMatchObject({ status: 'closed' });
    expect((await ada.post(`/conversations/${id}/messages`, { content: 'hello' })).body.code).toBe('session_closed');
    expect((await bob.delete(`/sessions/${id}`)).status).toBe(403);
    expect((await bob.post(`/sessions/${id}/release`)).status).toBe(204);
    expect(await queueOf(cleo)).toEqual([]);
    expect((await cleo.post(`/sessions/${id}/claim`)).status).toBe(404);
    const socket = await cleo.socket();
    const reopened = (await ada.patch(`/sessions/${id}`, { status: 'open' })).body;
    expect(reopened.queue.position).toBe(1);
    await socket.next((frame) => frame.type === 'session.queued' && frame.session.id === id);
    await ada.patch(`/sessions/${id}`, { status: 'closed' });
    await socket.next((frame) => frame.type === 'session.dequeued' && frame.sessionId === id);
    await ada.delete(`/sessions/${id}`);
    socket.close();
  });

  it('takes a session over from an agent, with what was said, and the agent says no more', async () => {
    const session = (await ada.put(`/sessions/by-agent/${ECHO}`)).body;
    const { id } = session;
    await ada.say(id, '/slow 400 one two three four five six seven eight nine ten');
    expect((await bob.post(`/sessions/${id}/handoff`)).status).toBe(404);
    const socket = await bob.socket();
    const handed = await ada.post(`/sessions/${id}/handoff`);
    expect([handed.status, handed.body]).toMatchObject([200, { type: 'peer', agent: null, queue: { position: 1 } }]);
    await socket.next((frame) => frame.type === 'session.queued' && frame.session.id === id);
    expect((await ada.post(`/sessions/${id}/handoff`)).body.code).toBe('not_an_agent_session');
    await bob.post(`/sessions/${id}/claim`);
    await ada.say(id, 'are you a person?');
    const { items } = (await bob.get(`/conversations/${id}/messages`)).body;
    expect(items.map(({ role }: any) => role)).toEqual(['user', 'user']);
    expect((await ada.put(`/sessions/by-agent/${ECHO}`)).body.id).not.toBe(id);

    const other = await open({ type: 'agent', agentId: ECHO });
    expect((await ada.post(`/sessions/${other.id}/handoff`, { advocateId: root.id })).body.errors[0].path).toBe(
      'advocateId',
    );
    const given = (await ada.post(`/sessions/${other.id}/handoff`, { advocateId: cleo.id })).body;
    expect(given).toMatchObject({ type: 'peer', advocate: { id: cleo.id }, queue: null });
    expect(await statuses(cleo, other.id)).toEqual([200, 200, 200, 201, 200]);
    await Promise.all([id, other.id].map((each) => ada.delete(`/sessions/${each}`)));
    socket.close();
  });

  it('puts those back into the queue whose advocate is one no more, at once for open sockets', async () => {
    const dora = await person(app.url, 'dora');
    await root.patch(`/admin/users/${dora.id}`, { isAdvocate: true });
    const { id } = await open({ advocateId: dora.id });
    const socket = await dora.socket();
    await ada.say(id, 'before');
    await socket.next((frame) => frame.message?.content === 'before');
    await root.patch(`/admin/users/${dora.id}`, { isAdvocate: false });
    expect(await statuses(dora, id)).toEqual(HIDDEN);
    expect((await dora.get('/sessions/queue')).status).toBe(403);
    await ada.say(id, 'after');
    await socket.next('conversation.deleted');
    const next = await open({}, root);
    await socket.settle();
    expect(JSON.stringify(socket.heard)).not.toContain('after');
    expect(socket.of('session.queued')).toEqual([]);
    expect((await queueOf(bob)).map((item) => item.id)).toEqual([id, next.id]);
    await Promise.all([ada.delete(`/sessions/${id}`), root.delete(`/sessions/${next.id}`)]);
    socket.close();
  });

  it('tells the owner and the queue where an advocate is switched off from the command line', async () => {
    const dora = await person(app.url, 'dora');
    await root.patch(`/admin/users/${dora.id}`, { isAdvocate: true });
    const { id } = await open({ advocateId: dora.id });
    const [hers, helping, watching] = await Promise.all([ada.socket(), dora.socket(), bob.socket()]);
    await runCommand(['dist/src/operations/cli/admin.js', 'user:disable', dora.name], { DATABASE_URL: database.url });
    expect((await helping.closed).code).toBe(4003);
    const { conversation } = await hers.next(
      (frame) => frame.conversation?.id === id && frame.conversation.advocate === null,
    );
    expect(conversation).toEqual({ id, advocate: null });
    await watching.next((frame) => frame.type === 'session.queued' && frame.session.id === id);
    expect((await queueOf(bob)).map((item) => item.id)).toEqual([id]);
    await ada.delete(`/sessions/${id}`);
    hers.close();
    watching.close();
  });

  it('is private: an administrator does not see the sessions of others, waiting or not', async () => {
    const waiting = await open();
    const helped = await open({ advocateId: bob.id });
    const answered = await open({ type: 'agent', agentId: ECHO });
    for (const { id } of [waiting, helped, answered]) expect(await statuses(root, id)).toEqual(HIDDEN);
    const everything = await Promise.all(
      ['/sessions', '/conversations', '/sessions/queue'].map((path) => root.get(path)),
    );
    for (const { id } of [waiting, helped, answered]) expect(JSON.stringify(everything)).not.toContain(id);
  });
});
