import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { EventStream, textOf } from '../support/event-stream.js';
import { Model } from '../support/model.js';
import { administrator, type Person, person, type Socket } from '../support/people.js';
import { runApp, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

describe("an agent's reply", () => {
  let database: TestDatabase;
  let app: RunningApp;
  let model: Model;
  let root: Person;
  let ada: Person;
  let eve: Person;
  let agentId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    model = await Model.start();
    const env = {
      DATABASE_URL: database.url,
      RATE_LIMIT: 'off',
      OUTBOUND_ALLOWED_HOSTS: '127.0.0.1',
      MAX_CONNECTIONS_PER_USER: '12',
    };
    app = await runApp(env);
    root = await administrator(app.url, env);
    ada = await person(app.url, 'ada');
    eve = await person(app.url, 'eve');
    const agent = { slug: 'model', name: 'Model', kind: 'openai', model: 'm', url: model.upstream.url, apiKey: 'k' };
    agentId = (await root.post('/agents', agent)).body.id;
  }, 60_000);

  afterAll(async () => {
    await app.stop();
    await model.stop();
    await database.drop();
  }, 60_000);

  const newSession = async (): Promise<string> => (await ada.post('/sessions', { type: 'agent', agentId })).body.id;
  const view = async (id: string) => (await ada.get(`/sessions/${id}`)).body;
  const history = async (id: string) => (await ada.get(`/conversations/${id}/messages`)).body.items;
  const said = async (id: string) =>
    (await history(id)).map(({ role, content }: { role: string; content: string }) => `${role}: ${content}`);
  const state = (socket: Socket, id: string, status: string) =>
    socket.next(
      (frame) =>
        frame.type === 'conversation.updated' &&
        frame.conversation.id === id &&
        frame.conversation.reply?.status === status,
    );
  const deltas = (socket: Socket, id: string) =>
    socket.of('message.delta').filter(({ conversationId }) => conversationId === id) as any[];

  it('is heard word by word over the socket, and is a message at the end', async () => {
    const socket = await ada.socket();
    const id = await newSession();
    await ada.say(id, 'Tell me');
    const call = await model.next();
    expect(call.lines).toEqual(['user: Tell me']);
    call.say(' Once ');
    await socket.next((frame) => frame.type === 'message.delta' && frame.text === 'Once ');
    expect((await state(socket, id, 'running')).conversation.reply).toMatchObject({ error: null });
    call.say('upon a ');
    call.say('time.\n');
    call.end(42);
    const { message } = await socket.next(
      (frame) => frame.type === 'message.created' && frame.message.role === 'agent',
    );
    expect(message).toMatchObject({ content: 'Once upon a time.', tokensUsed: 42 });
    const heard = deltas(socket, id);
    expect(textOf(heard).trimEnd()).toBe(message.content);
    expect(new Set(heard.map(({ replyId }) => replyId))).toEqual(new Set([message.metadata.replyId]));
    await state(socket, id, 'done');
    expect((await view(id)).reply).toEqual({ id: message.metadata.replyId, status: 'done', error: null });
    socket.close();
  });

  it('is told to those who come late from its beginning, over a stream, the socket and as state', async () => {
    const id = await newSession();
    await ada.say(id, 'Go on');
    const call = await model.next();
    const first = await EventStream.open(ada, 'GET', `/sessions/${id}/reply`);
    call.say('One, ');
    await first.untilText('One, ');
    const late = await EventStream.open(ada, 'POST', `/sessions/${id}/reply`);
    await late.untilText('One, ');
    expect((await ada.get(`/sessions/${id}/reply`)).body).toMatchObject({ status: 'running', text: 'One, ' });
    const socket = await ada.socket();
    await socket.next((frame) => frame.type === 'message.delta' && frame.conversationId === id);
    expect(deltas(socket, id)[0]).toMatchObject({ at: 0, text: 'One, ' });
    call.answer('two.');
    for (const stream of [first, late]) {
      const heard = await stream.ended;
      expect(stream.text).toBe('One, two.');
      expect(heard.at(-1)).toMatchObject({ event: 'done', data: { message: { content: 'One, two.' } } });
    }
    await socket.next('message.created');
    expect(textOf(deltas(socket, id))).toBe('One, two.');
    const after = await EventStream.open(ada, 'GET', `/sessions/${id}/reply`);
    await after.ended;
    expect(after.text).toBe('One, two.');
    expect(model.unheard).toBe(0);
    socket.close();
  });

  it('goes on when the one who asked for it leaves', async () => {
    const id = await newSession();
    await ada.say(id, 'Stay');
    const call = await model.next();
    const leaving = new AbortController();
    const stream = await EventStream.open(ada, 'POST', `/sessions/${id}/reply`, leaving.signal);
    call.say('I am ');
    await stream.untilText('I am ');
    leaving.abort();
    const back = await EventStream.open(ada, 'GET', `/sessions/${id}/reply`);
    await back.untilText('I am ');
    call.answer('here.');
    await back.ended;
    expect(await said(id)).toEqual(['user: Stay', 'agent: I am here.']);
  });

  it('comes one at a time: what is said meanwhile waits, and is answered by one reply that sees it all', async () => {
    const id = await newSession();
    await ada.say(id, 'First');
    const call = await model.next();
    await ada.say(id, 'Second');
    await ada.say(id, 'Third');
    expect(model.unheard).toBe(0);
    call.answer('One.');
    const next = await model.next();
    expect(next.lines).toEqual(['user: First', 'assistant: One.', 'user: Second', 'user: Third']);
    const stream = await EventStream.open(ada, 'POST', `/sessions/${id}/reply`);
    next.answer('Two and three.');
    await stream.ended;
    expect(await said(id)).toEqual([
      'user: First',
      'user: Second',
      'user: Third',
      'agent: One.',
      'agent: Two and three.',
    ]);
    expect(model.unheard).toBe(0);
  });

  it('can be stopped, and keeps what was said, marked', async () => {
    const socket = await ada.socket();
    const id = await newSession();
    await ada.say(id, 'Talk');
    const call = await model.next();
    call.say('Well, you ');
    await socket.next('message.delta');
    expect((await ada.delete(`/sessions/${id}/reply`)).status).toBe(204);
    await call.over;
    const [, answer] = await history(id);
    expect(answer).toMatchObject({ content: 'Well, you', role: 'agent', metadata: { stopped: true } });
    expect(answer.tokensUsed).toBeGreaterThan(2);
    expect((await view(id)).reply).toEqual({ id: answer.metadata.replyId, status: 'stopped', error: null });
    await state(socket, id, 'stopped');
    expect((await ada.delete(`/sessions/${id}/reply`)).status).toBe(204);
    socket.close();
  });

  it('that was stopped before a word is no message, and what waits behind it is answered', async () => {
    const id = await newSession();
    await ada.say(id, 'Talk');
    const call = await model.next();
    await ada.say(id, 'No, something else');
    expect((await ada.delete(`/sessions/${id}/reply`)).status).toBe(204);
    await call.over;
    const next = await model.next();
    const stream = await EventStream.open(ada, 'GET', `/sessions/${id}/reply`);
    next.answer('Gladly.');
    await stream.ended;
    expect(await said(id)).toEqual(['user: Talk', 'user: No, something else', 'agent: Gladly.']);
  });

  it('that fails is state, an event and 502; the message is kept, and it can be asked for again', async () => {
    const socket = await ada.socket();
    const id = await newSession();
    await ada.say(id, 'Hello?');
    (await model.next()).refuse(400);
    const failed = await state(socket, id, 'failed');
    expect(failed.conversation.reply).toMatchObject({ error: 'refused' });
    expect((await view(id)).reply).toEqual(failed.conversation.reply);
    const answer = ada.post(`/sessions/${id}/reply`);
    (await model.next()).refuse(401);
    expect(await answer).toMatchObject({ status: 502, body: { code: 'reply_failed', status: 502 } });
    const stream = await EventStream.open(ada, 'POST', `/sessions/${id}/reply`);
    (await model.next()).refuse(404);
    expect((await stream.ended).at(-1)).toMatchObject({ event: 'error', data: { status: 502, code: 'reply_failed' } });
    const worked = ada.post(`/sessions/${id}/reply`);
    (await model.next()).answer('Here I am.');
    expect(await worked).toMatchObject({ status: 200, body: { content: 'Here I am.', role: 'agent' } });
    expect(await said(id)).toEqual(['user: Hello?', 'agent: Here I am.']);
    socket.close();
  });

  it('is tried again by itself where that may help and nothing was said yet', async () => {
    const id = await newSession();
    await ada.say(id, 'Hello?');
    (await model.next()).refuse(503);
    const stream = await EventStream.open(ada, 'GET', `/sessions/${id}/reply`);
    (await model.next()).answer('At last.');
    await stream.ended;
    expect(await said(id)).toEqual(['user: Hello?', 'agent: At last.']);
  });

  it('is tried again no sooner than is wished for, and not at all where that is too late for who waits', async () => {
    const id = await newSession();
    await ada.say(id, 'Hello?');
    const calls = [await model.next()];
    calls[0]?.refuse(429, { 'retry-after': '2' });
    calls.push(await model.next());
    calls[1]?.refuse(503, { 'retry-after': new Date(Date.now() + 5_000).toUTCString() });
    const stream = await EventStream.open(ada, 'GET', `/sessions/${id}/reply`);
    calls.push(await model.next());
    calls[2]?.answer('At last.');
    await stream.ended;
    const [first = 0, second = 0, third = 0] = calls.map(({ cameAt }) => cameAt);
    expect(second - first).toBeGreaterThan(1_990);
    expect(third - second).toBeGreaterThan(3_900);
    expect(await said(id)).toEqual(['user: Hello?', 'agent: At last.']);

    await ada.say(id, 'And now?');
    const last = await model.next();
    const failing = await EventStream.open(ada, 'GET', `/sessions/${id}/reply`);
    last.refuse(429, { 'retry-after': '31' });
    expect((await failing.ended).at(-1)).toMatchObject({ event: 'error', data: { status: 502, code: 'reply_failed' } });
    expect((await view(id)).reply).toMatchObject({ status: 'failed', error: 'rate_limited' });
    expect(model.unheard).toBe(0);
  }, 30_000);

  it('that waits to be tried again can be stopped', async () => {
    const id = await newSession();
    await ada.say(id, 'Hello?');
    const call = await model.next();
    call.refuse(429, { 'retry-after': '29' });
    await call.over;
    expect((await ada.delete(`/sessions/${id}/reply`)).status).toBe(204);
    expect((await view(id)).reply).toMatchObject({ status: 'stopped', error: null });
    expect(model.unheard).toBe(0);
  });

  it.each([
    ['switched off', (id: string) => root.patch(`/agents/${id}`, { enabled: false })],
    ['deleted', (id: string) => root.delete(`/agents/${id}`)],
  ])('that waits to be tried again is not, where its agent is %s meanwhile', async (how, leave) => {
    const slug = how.replace(' ', '-');
    const agent = { slug, name: slug, kind: 'openai', model: 'm', url: model.upstream.url, apiKey: 'k' };
    const other = (await root.post('/agents', agent)).body.id;
    const { id } = (await ada.post('/sessions', { type: 'agent', agentId: other })).body;
    const socket = await ada.socket();
    await ada.say(id, 'Hello?');
    const call = await model.next();
    call.refuse(429, { 'retry-after': '1' });
    await call.over;
    await leave(other);
    const { conversation } = await state(socket, id, 'failed');
    expect(conversation.reply.error).toBe('agent_disabled');
    expect(model.unheard).toBe(0);
  });

  it('that breaks off half-way has failed, and loses nothing of what was said', async () => {
    const id = await newSession();
    await ada.say(id, 'Hello?');
    const call = await model.next();
    const stream = await EventStream.open(ada, 'GET', `/sessions/${id}/reply`);
    call.say('It all began');
    await stream.untilText('It all began');
    call.breakOff();
    expect((await stream.ended).at(-1)).toMatchObject({ event: 'error' });
    const { body } = await ada.get(`/sessions/${id}/reply`);
    expect(body).toMatchObject({ status: 'failed', error: 'broken_off', text: 'It all began', messageId: null });
    expect(await said(id)).toEqual(['user: Hello?']);
  });

  it('is cut at what a message holds, and marked', async () => {
    const id = await newSession();
    await ada.say(id, 'Everything!');
    const call = await model.next();
    for (let i = 0; i < 21; i += 1) call.say('\u{1F600}'.repeat(1_000));
    await call.over;
    const stream = await EventStream.open(ada, 'GET', `/sessions/${id}/reply`);
    await stream.ended;
    const [, answer] = await history(id);
    expect(Array.from(answer.content as string)).toHaveLength(20_000);
    expect(answer.metadata).toMatchObject({ truncated: true });
    expect(answer.tokensUsed).toBeGreaterThan(5_000);
  });

  it('can be said again: the new answer takes the place of the earlier one, which stays as a revision', async () => {
    const socket = await ada.socket();
    const id = await newSession();
    await ada.say(id, 'A number?');
    (await model.next()).answer('Seven.');
    const { message } = await socket.next((frame) => frame.message?.content === 'Seven.');
    const answer = ada.post(`/sessions/${id}/reply`);
    const call = await model.next();
    expect(call.lines).toEqual(['user: A number?']);
    call.answer('Eight.');
    const { body: again } = await answer;
    expect(again).toMatchObject({ id: message.id, seq: message.seq, content: 'Eight.' });
    expect(again.rev).toBeGreaterThan(message.rev);
    const updated = await socket.next('message.updated');
    expect(updated.message).toEqual(again);
    expect(await said(id)).toEqual(['user: A number?', 'agent: Eight.']);
    const revisions = (await ada.get(`/conversations/${id}/messages/${message.id}/revisions`)).body.items;
    expect(revisions).toMatchObject([{ content: 'Seven.' }]);
    socket.close();
  });

  it('to something whose answer was deleted is a new message', async () => {
    const id = await newSession();
    await ada.say(id, 'A number?');
    const call = await model.next();
    const first = await EventStream.open(ada, 'POST', `/sessions/${id}/reply`);
    call.answer('Seven.');
    await ada.delete(`/conversations/${id}/messages/${(await first.ended).at(-1)?.data.message.id}`);
    const second = ada.post(`/sessions/${id}/reply`);
    (await model.next()).answer('Nine.');
    expect((await second).body).toMatchObject({ content: 'Nine.', seq: 3 });
  });

  it('is one for ten who ask for it at once', async () => {
    const id = await newSession();
    await ada.say(id, 'Hello?');
    const call = await model.next();
    const opening = Array.from({ length: 10 }, () => EventStream.open(ada, 'POST', `/sessions/${id}/reply`));
    const streams = await Promise.all(opening);
    call.say('Yes');
    await Promise.all(streams.map((stream) => stream.untilText('Yes')));
    call.end();
    const ends = (await Promise.all(streams.map(({ ended }) => ended))).map((heard) => heard.at(-1)?.data.message.id);
    expect(new Set(ends).size).toBe(1);
    expect(model.unheard).toBe(0);
  });

  it('is kept where the session was closed meanwhile; what waited is not answered, until it is open again', async () => {
    const id = await newSession();
    await ada.say(id, 'First');
    const call = await model.next();
    await ada.say(id, 'Second');
    const stream = await EventStream.open(ada, 'GET', `/sessions/${id}/reply`);
    await ada.patch(`/sessions/${id}`, { status: 'closed' });
    call.answer('One.');
    await stream.ended;
    expect(await ada.post(`/conversations/${id}/messages`, { content: 'x' })).toMatchObject({
      status: 409,
      body: { code: 'session_closed' },
    });
    expect(await ada.post(`/sessions/${id}/reply`)).toMatchObject({ status: 409, body: { code: 'session_closed' } });
    const end = await (await EventStream.open(ada, 'GET', `/sessions/${id}/reply`)).ended;
    expect(end.at(-1)).toMatchObject({ event: 'error', data: { code: 'session_closed' } });
    await ada.patch(`/sessions/${id}`, { status: 'open' });
    const answer = await EventStream.open(ada, 'POST', `/sessions/${id}/reply`);
    (await model.next()).answer('Two.');
    expect((await answer.ended).at(-1)?.data.message.content).toBe('Two.');
    expect(await said(id)).toEqual(['user: First', 'user: Second', 'agent: One.', 'agent: Two.']);
  });

  it('to a session that is cleared or deleted meanwhile is stored nowhere', async () => {
    for (const remove of [
      (id: string) => ada.delete(`/conversations/${id}/messages`),
      (id: string) => ada.delete(`/sessions/${id}`),
    ]) {
      const id = await newSession();
      await ada.say(id, 'Forget it');
      const call = await model.next();
      const stream = await EventStream.open(ada, 'GET', `/sessions/${id}/reply`);
      call.say('Well');
      await stream.untilText('Well');
      expect((await remove(id)).status).toBe(204);
      await call.over;
      expect((await stream.ended).at(-1)).toMatchObject({ event: 'error', data: { status: 404 } });
      expect(await said(id).catch(() => [])).toEqual([]);
    }
  });

  it('ends where its session goes to a person: the agent is hung up on, and becomes no message', async () => {
    const socket = await ada.socket();
    const id = await newSession();
    await ada.say(id, 'Talk');
    const call = await model.next();
    await ada.say(id, 'Or wait');
    call.say('Well, ');
    await socket.next((frame) => frame.type === 'message.delta' && frame.conversationId === id);
    const { body } = await ada.post(`/sessions/${id}/handoff`);
    expect(body).toMatchObject({ type: 'peer', agent: null, reply: { status: 'stopped' } });
    await call.over;
    await ada.say(id, 'Is somebody there?');
    expect(await said(id)).toEqual(['user: Talk', 'user: Or wait', 'user: Is somebody there?']);
    expect((await view(id)).reply).toMatchObject({ status: 'stopped' });
    expect(model.unheard).toBe(0);
    socket.close();
  });

  it('is not given by an agent that is switched off, nor where there is nothing to answer or no agent', async () => {
    const id = await newSession();
    const ask = async (session: string) => {
      const { status, body } = await ada.post(`/sessions/${session}/reply`);
      return [status, body.code];
    };
    expect(await ask(id)).toEqual([409, 'nothing_to_answer']);
    expect((await ada.get(`/sessions/${id}/reply`)).status).toBe(404);
    await root.patch(`/agents/${agentId}`, { enabled: false });
    await ada.say(id, 'Hello?');
    expect(await ask(id)).toEqual([409, 'agent_disabled']);
    expect((await view(id)).reply).toBeNull();
    await root.patch(`/agents/${agentId}`, { enabled: true });
    const peer = (await ada.post('/sessions', { type: 'peer' })).body.id;
    expect(await ask(peer)).toEqual([409, 'no_agent']);
  });

  it('and its session are nobody else’s, not an administrator’s either', async () => {
    const id = await newSession();
    const { id: messageId } = await ada.say(id, 'Between us');
    (await model.next()).answer('Of course.');
    for (const stranger of [eve, root]) {
      const tries = [
        ['GET', `/sessions/${id}`],
        ['PATCH', `/sessions/${id}`],
        ['DELETE', `/sessions/${id}`],
        ['GET', `/sessions/${id}/reply`],
        ['POST', `/sessions/${id}/reply`],
        ['DELETE', `/sessions/${id}/reply`],
        ['GET', `/conversations/${id}`],
        ['GET', `/conversations/${id}/messages`],
        ['GET', `/conversations/${id}/changes?after=0`],
        ['GET', `/conversations/${id}/messages/${messageId}/revisions`],
        ['DELETE', `/conversations/${id}/messages`],
      ] as const;
      for (const [method, path] of tries) {
        const { status } = await stranger.call(method, path, method === 'PATCH' ? { title: 'x' } : undefined);
        expect([method, path, status]).toEqual([method, path, 404]);
      }
      expect((await stranger.get('/sessions')).body.items).toEqual([]);
    }
  });

  it('is waited for by one person a bounded number of times at once', async () => {
    const id = await newSession();
    await ada.say(id, 'Hello?');
    const call = await model.next();
    const leaving = new AbortController();
    const open = () => EventStream.open(ada, 'GET', `/sessions/${id}/reply`, leaving.signal);
    await Promise.all(Array.from({ length: 12 }, open));
    const refused = { status: 429, body: { code: 'too_many_connections' } };
    expect(await ada.post(`/sessions/${id}/reply`)).toMatchObject(refused);
    expect((await open()).status).toBe(429);
    expect((await ada.get(`/sessions/${id}/reply`)).status).toBe(200);
    leaving.abort();
    let again = await EventStream.open(ada, 'GET', `/sessions/${id}/reply`);
    while (again.status === 429) again = await EventStream.open(ada, 'GET', `/sessions/${id}/reply`);
    call.answer('Yes');
    expect((await again.ended).at(-1)).toMatchObject({ event: 'done', data: { message: { content: 'Yes' } } });
  });

  it('is waited for no longer by somebody who left before it was found', async () => {
    const id = await newSession();
    await ada.say(id, 'Hello?');
    const call = await model.next();
    const holding = new pg.Client({ connectionString: database.url });
    await holding.connect();
    await holding.query(`BEGIN; LOCK TABLE replies`);
    const leaving = new AbortController();
    const left = Array.from({ length: 12 }, () =>
      EventStream.open(ada, 'GET', `/sessions/${id}/reply`, leaving.signal).catch(() => undefined),
    );
    await sleep(300);
    leaving.abort();
    await Promise.all(left);
    await sleep(300);
    await holding.query(`ROLLBACK`);
    await holding.end();
    call.answer('Yes');
    const again = await EventStream.open(ada, 'GET', `/sessions/${id}/reply`);
    expect((await again.ended).at(-1)).toMatchObject({ event: 'done', data: { message: { content: 'Yes' } } });
  });

  it('ends the stream of somebody whose login ends', async () => {
    const id = await newSession();
    await ada.say(id, 'Hello?');
    const call = await model.next();
    const { body } = await ada.post('/auth/tickets');
    expect(body.ticket).toBeDefined();
    const stream = await EventStream.open(ada, 'GET', `/sessions/${id}/reply`);
    call.say('Still');
    await stream.untilText('Still');
    const waiting = ada.post(`/sessions/${id}/reply`);
    await sleep(100);
    await ada.post('/auth/logout');
    const heard = await stream.ended;
    expect(heard.map(({ event }) => event)).toEqual(['reply', 'delta']);
    expect(await waiting).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
    call.end();
  });
});
