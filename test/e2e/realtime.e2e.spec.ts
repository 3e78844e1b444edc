import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { openSocket, type Person, person, serverOf, type Socket } from '../support/people.js';
import { runApp, type RunningApp } from '../support/run-app.js';

const SECRET_KEY = 'k9Jw2LqZ8vXr4TnB7mYcP3sHdF6gA1eU0oRiW5';

describe('the realtime protocol', () => {
  let database: TestDatabase;
  let app: RunningApp;
  let ada: Person;
  let bob: Person;
  let room: string;
  let serverId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    app = await runApp({
      DATABASE_URL: database.url,
      SECRET_KEY,
      RATE_LIMIT: 'off',
      CORS_ORIGINS: 'https://chat.example',
    });
    ada = await person(app.url, 'ada');
    bob = await person(app.url, 'bob');
    ({ id: serverId, general: room } = await serverOf(ada, bob));
  }, 60_000);

  afterAll(async () => {
    await app.stop();
    await database.drop();
  }, 60_000);

  it('says in ready who one is and where every conversation stands', async () => {
    await ada.say(room, 'unread to bob');
    const socket = await openSocket(app.url, '/api/v1/realtime', [], {
      headers: { authorization: `Bearer ${bob.token}` },
    });
    const ready = await socket.next('ready');
    expect(ready).toMatchObject({ user: { id: bob.id }, heartbeatSeconds: 30 });
    expect(ready.conversations).toEqual([
      {
        id: room,
        kind: 'channel',
        serverId,
        lastSeq: 1,
        rev: 1,
        lastReadSeq: 0,
        unread: 1,
        mentions: 0,
      },
    ]);
    expect(await socket.ask({ type: 'read', conversationId: room, seq: 1 })).toMatchObject({ type: 'ack', seq: 1 });
    expect((await bob.get(`/conversations/${room}`)).body).toMatchObject({ lastReadSeq: 1, unread: 0 });
    expect((await bob.put(`/conversations/${room}/read`, { seq: 0 })).body).toEqual({ seq: 1 });
    socket.close();
  });

  it('says in less than 200 KB how a thousand conversations stand', async () => {
    const eve = await person(app.url, 'eve');
    const { id } = await serverOf(eve);
    const client = new pg.Client(database.url);
    await client.connect();
    await client.query(
      `WITH made AS (
         INSERT INTO conversations (id, kind, last_seq, last_rev)
         SELECT gen_random_uuid(), 'channel', 23456, 34567 FROM generate_series(1, 999) RETURNING id
       ) INSERT INTO channels (id, server_id, name, name_key, type, position)
       SELECT id, $1, 'a-long-name-' || id, 'a-long-name-' || id, 'TEXT', row_number() OVER () + 1 FROM made`,
      [id],
    );
    await client.end();
    const socket = await eve.socket();
    const ready = await socket.next('ready');
    expect(ready.conversations).toHaveLength(1_000);
    expect(Buffer.byteLength(JSON.stringify(ready))).toBeLessThan(200_000);
    socket.close();
  });

  it('acknowledges a nonce that is sent again, over either transport, with the first message', async () => {
    const socket = await ada.socket();
    const frame = { type: 'message.send', conversationId: room, content: 'once', nonce: 'socket-and-rest' };
    const first = await socket.ask(frame);
    expect((await socket.ask(frame)).message.id).toBe(first.message.id);
    const overRest = await ada.post(`/conversations/${room}/messages`, { content: 'once', nonce: 'socket-and-rest' });
    expect([overRest.status, overRest.body.id]).toEqual([200, first.message.id]);
    expect(await socket.ask({ ...frame, content: 'twice' })).toMatchObject({ type: 'error', code: 'nonce_reused' });
    socket.close();
  });

  it('brings a sync in order with what goes on meanwhile', async () => {
    const { general } = await serverOf(ada, bob);
    const writer = await ada.socket();
    for (let i = 0; i < 450; i += 1)
      writer.send({ type: 'message.send', conversationId: general, content: `old ${i}` });
    await writer.next((frame) => frame.message?.content === 'old 449');
    const reader = await bob.socket();
    for (let i = 0; i < 300; i += 1)
      writer.send({ type: 'message.send', conversationId: general, content: `new ${i}` });
    reader.send({ type: 'sync', ref: 's', conversationId: general, afterRev: 0 });
    await reader.next((frame) => frame.type === 'changes' && !frame.more);
    await reader.next((frame) => (frame.message ?? frame.items?.at(-1))?.content === 'new 299');
    await reader.settle();
    const inOrder = reader.heard
      .slice(reader.heard.findIndex(({ type }) => type === 'changes'))
      .flatMap((frame) =>
        frame.type === 'changes' ? frame.items : frame.type === 'message.created' ? [frame.message] : [],
      )
      .map(({ rev }: { rev: number }) => rev);
    expect(inOrder.length).toBe(750);
    expect(inOrder).toEqual(Array.from({ length: 750 }, (_, i) => i + 1));
    expect(reader.of('changes').every(({ ref }) => ref === 's')).toBe(true);
    writer.close();
    reader.close();
  });

  it('takes an id in capitals for the same', async () => {
    const socket = await bob.socket();
    const capitals = room.toUpperCase();
    const synced = await socket.ask({ type: 'sync', conversationId: capitals, afterRev: 0 });
    expect(synced).toMatchObject({ type: 'changes', conversationId: room });
    const sent = await socket.ask({ type: 'message.send', conversationId: capitals, content: 'LOUD' });
    expect(sent.message).toMatchObject({ conversationId: room });
    const edited = { type: 'message.edit', conversationId: capitals, messageId: sent.message.id.toUpperCase() };
    expect((await socket.ask({ ...edited, content: 'quiet' })).message).toMatchObject({ id: sent.message.id });
    socket.close();
  });

  it('tells each of many who come back to one place of the reactions that are theirs', async () => {
    const { general } = await serverOf(ada, bob);
    const { id } = await ada.say(general, 'who likes it?');
    await ada.put(`/conversations/${general}/messages/${id}/reactions/${encodeURIComponent('👍')}`);
    await bob.put(`/conversations/${general}/messages/${id}/reactions/${encodeURIComponent('🎉')}`);
    const people = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? ada : bob));
    const sockets = await Promise.all(people.map((one) => one.socket()));
    const answers = await Promise.all(
      sockets.map((socket) => socket.ask({ type: 'sync', conversationId: general, afterRev: 0 })),
    );
    const theirs = answers.map(({ items }) =>
      (items[0].reactions as { emoji: string; me: boolean }[]).filter(({ me }) => me).map(({ emoji }) => emoji),
    );
    expect(theirs).toEqual(people.map((one) => (one === ada ? ['👍'] : ['🎉'])));
    for (const socket of sockets) socket.close();
  });

  it('ends what somebody hears in the moment they are removed', async () => {
    const { id, general } = await serverOf(ada, bob);
    const [hers, his] = await Promise.all([ada.socket(), bob.socket()]);
    await ada.say(general, 'before');
    await his.next((frame) => frame.message?.content === 'before');
    await ada.delete(`/servers/${id}/members/${bob.id}`);
    await ada.say(general, 'after the removal');
    expect(await his.ask({ type: 'message.send', conversationId: general, content: 'let me' })).toMatchObject({
      code: 'not_found',
    });
    expect(await his.ask({ type: 'sync', conversationId: general, afterRev: 0 })).toMatchObject({ code: 'not_found' });
    await his.settle();
    expect(JSON.stringify(his.heard)).not.toContain('after the removal');
    expect(his.of('member.removed')).toMatchObject([{ serverId: id, userId: bob.id }]);
    await ada.post(`/servers/${id}/members`, { userId: bob.id });
    await ada.say(general, 'welcome back');
    await his.next((frame) => frame.message?.content === 'welcome back');
    hers.close();
    his.close();
  });

  it('tells of a deleted text to nobody', async () => {
    const { general } = await serverOf(ada, bob);
    const socket = await ada.socket();
    const { message } = await socket.ask({ type: 'message.send', conversationId: general, content: 'a secret slip' });
    await socket.ask({
      type: 'message.edit',
      conversationId: general,
      messageId: message.id,
      content: 'a secret slip, edited',
    });
    const gone = await socket.ask({ type: 'message.delete', conversationId: general, messageId: message.id });
    expect(gone.message).toMatchObject({ content: null, seq: 1, rev: 3, deletedAt: expect.any(String) });
    const answers = await Promise.all(
      [
        `/conversations`,
        `/conversations/${general}`,
        `/conversations/${general}/messages`,
        `/conversations/${general}/changes?after=0`,
      ].map((path) => bob.get(path)),
    );
    expect(JSON.stringify(answers.map(({ body }) => body))).not.toContain('secret slip');
    socket.close();
  });

  it('lets a client that only listened have what a fresh load gives, whatever was done', async () => {
    const { id, general } = await serverOf(ada, bob);
    const listener = await bob.socket();
    const first = await ada.say(general, 'one');
    const second = await bob.say(general, 'two');
    const third = await ada.say(general, 'three');
    await ada.patch(`/conversations/${general}/messages/${first.id}`, { content: 'one, edited' });
    await ada.delete(`/conversations/${general}/messages/${second.id}`);
    await ada.delete(`/conversations/${general}/messages/${third.id}`);
    const lobby = (await ada.post(`/servers/${id}/channels`, { name: 'lobby', type: 'TEXT' })).body;
    const attic = (await ada.post(`/servers/${id}/channels`, { name: 'attic', type: 'TEXT' })).body;
    await ada.patch(`/channels/${lobby.id}`, { name: 'hall' });
    const [open, gone] = [await ada.say(general, 'open a thread'), await bob.say(attic.id, 'and this one')];
    const thread = (await ada.post(`/conversations/${general}/messages/${open.id}/thread`)).body.id;
    await ada.say(thread, 'in the thread');
    await bob.post(`/conversations/${general}/messages/${open.id}/thread`);
    await ada.say(thread, 'with bob');
    await bob.post(`/conversations/${attic.id}/messages/${gone.id}/thread`);
    await ada.delete(`/channels/${attic.id}`);
    await ada.say(lobby.id, 'in the hall');
    await bob.put(`/conversations/${lobby.id}/read`, { seq: 1 });
    const echo = (await bob.get('/agents')).body.items[0].id;
    const session = (await bob.post('/sessions', { type: 'agent', agentId: echo, title: 'Talk' })).body;
    await bob.patch(`/sessions/${session.id}`, { title: 'A talk' });
    await bob.say(session.id, 'gone soon');
    await listener.next((frame) => frame.message?.role === 'agent');
    await bob.delete(`/conversations/${session.id}/messages`);
    await listener.settle();

    const fresh = await bob.socket();
    const states = fresh.heard[0]?.conversations.filter((room: any) => room.serverId === id || room.id === session.id);
    const inShort = ({ title, parent, ...standing }: any) => ({
      ...standing,
      ...(standing.serverId === null && { title }),
      ...(parent && { parent }),
    });
    expect(bySortedId(replay(listener, id, session.id).map(inShort))).toEqual(bySortedId(states));
    const history = (await bob.get(`/conversations/${general}/messages`)).body.items;
    const heard = new Map(
      listener.heard
        .filter((frame) => frame.conversationId === general && frame.message)
        .map(({ message }) => [message.id, message]),
    );
    expect([...heard.values()]).toEqual(history);
    listener.close();
    fresh.close();
  });

  it('cuts off who does not read, and nobody else waits for them', async () => {
    const { general } = await serverOf(ada, bob);
    const [writer, reader] = await Promise.all([ada.socket(), ada.socket()]);
    const stuck = stuckListener(app.port, bob.token);
    await stuck.ready;
    const text = 'x'.repeat(15_000);
    for (let i = 0; i < 2000; i += 1)
      writer.send({ type: 'message.send', conversationId: general, content: `${i} ${text}` });
    // More than the buffers on the way hold; who is cut off has ten seconds to hear of it.
    await reader.next((frame) => frame.message?.seq === 1200);
    stuck.resume();
    expect(await stuck.closeCode).toBe(4008);
    await reader.next((frame) => frame.message?.seq === 2000);
    writer.close();
    reader.close();
  }, 60_000);

  it.each([
    ['a foreign page', { origin: 'https://evil.example' }, 403],
    ['a page that hides its origin', { origin: 'null' }, 403],
    ['a page whose name starts like ours', { origin: 'https://chat.example.evil.example' }, 403],
    ['a page on another port', { origin: 'http://127.0.0.1:1' }, 403],
  ])('refuses %s at the handshake', async (_, headers, status) => {
    const opening = openSocket(app.url, '/api/v1/realtime', ['parley.v1', `bearer.${ada.token}`], { headers });
    await expect(opening).rejects.toThrow(String(status));
  });

  it('lets its own pages and configured ones in', async () => {
    for (const origin of [app.url, 'https://chat.example']) {
      const options = { headers: { origin } };
      const socket = await openSocket(app.url, '/api/v1/realtime', ['parley.v1', `bearer.${ada.token}`], options);
      expect(socket.ws.protocol).toBe('parley.v1');
      socket.close();
    }
  });

  it.each([
    ['no token', []],
    ['a made-up token', ['parley.v1', 'bearer.made.up.token']],
    ['an unsigned token', ['parley.v1', `bearer.${unsigned()}`]],
  ])('refuses %s with 401', async (_, protocols) => {
    await expect(openSocket(app.url, '/api/v1/realtime', protocols)).rejects.toThrow('401');
    const [, bearer = 'bearer.none'] = protocols;
    await expect(openSocket(app.url, `/chat/ws?token=${bearer.slice(7)}`)).rejects.toThrow('401');
  });

  it.each(['/elsewhere', '//'])('answers 404 where there is no socket: at %s', async (path) => {
    await expect(openSocket(app.url, path, ['parley.v1', `bearer.${ada.token}`])).rejects.toThrow('404');
  });

  it('holds so many sockets of one account, and so many in all, however fast they come', async () => {
    const small = await runApp({
      DATABASE_URL: database.url,
      SECRET_KEY,
      MAX_CONNECTIONS: '5',
      MAX_CONNECTIONS_PER_USER: '3',
    });
    const openMany = (who: Person) =>
      Promise.all(
        Array.from({ length: 10 }, () =>
          openSocket(small.url, '/api/v1/realtime', ['parley.v1', `bearer.${who.token}`]).catch(
            ({ message }) => message,
          ),
        ),
      );
    const ofAda = await openMany(ada);
    expect(ofAda.filter((one) => one === 'Unexpected server response: 429')).toHaveLength(7);
    const ofBob = await openMany(bob);
    expect(ofBob.filter((one) => one === 'Unexpected server response: 503')).toHaveLength(8);
    const open = ofAda.filter((one) => typeof one !== 'string');
    open[0].close();
    await open[0].closed;
    expect((await openMany(ada)).filter((one) => typeof one !== 'string')).toHaveLength(1);
    await small.stop();
  });

  it('closes with 4001 when the token runs out, and not if a newer one came first', async () => {
    const short = () => openSocket(app.url, '/api/v1/realtime', ['parley.v1', `bearer.${shortened(ada.token, 2)}`]);
    const [left, renewed] = await Promise.all([short(), short()]);
    expect(await renewed.ask({ type: 'authenticate', token: bob.token })).toMatchObject({ code: 'forbidden' });
    expect(await renewed.ask({ type: 'authenticate', token: 'nonsense' })).toMatchObject({ code: 'unauthorized' });
    expect(await renewed.ask({ type: 'authenticate', token: ada.token })).toMatchObject({ type: 'ack' });
    expect(await left.closed).toMatchObject({ code: 4001 });
    await renewed.settle();
    renewed.close();
  });

  it('finishes what was sent, says 1012 and ends when it is told to stop', async () => {
    const other = await runApp({ DATABASE_URL: database.url, SECRET_KEY, RATE_LIMIT: 'off' });
    const sockets = await Promise.all(
      Array.from({ length: 5 }, () => openSocket(other.url, '/api/v1/realtime', ['parley.v1', `bearer.${ada.token}`])),
    );
    const [socket] = sockets as [Socket];
    await socket.next('ready');
    const answers = Array.from({ length: 40 }, (_, i) =>
      socket.ask({ type: 'message.send', conversationId: room, content: `last words ${i}` }),
    );
    await answers[0];
    expect(await other.stop()).toEqual({ code: 0, signal: null });
    for (const { closed } of sockets) expect(await closed).toMatchObject({ code: 1012 });
    const acked = (await Promise.allSettled(answers)).flatMap((result) =>
      result.status === 'fulfilled' ? [result.value.message.id] : [],
    );
    const { body } = await ada.get(`/conversations/${room}/messages?limit=100`);
    expect(body.items.map(({ id }: { id: string }) => id)).toEqual(expect.arrayContaining(acked));
  }, 30_000);
});

/** What a client that only listened knows of these rooms: ready, then every event. */
function replay(listener: Socket, serverId: string, sessionId: string) {
  const rooms = new Map<string, any>();
  for (const { type, ...event } of listener.heard) {
    if (type === 'ready') for (const each of event.conversations) rooms.set(each.id, { ...each });
    if (type === 'conversation.created') rooms.set(event.conversation.id, { ...event.conversation });
    if (type === 'conversation.deleted') {
      for (const { id, parent } of [...rooms.values()]) {
        if ([id, parent?.conversationId].includes(event.conversationId)) rooms.delete(id);
      }
    }
    const known = rooms.get(event.conversationId ?? event.conversation?.id);
    if (!known) continue;
    if (type === 'conversation.updated' && 'title' in event.conversation) known.title = event.conversation.title;
    if (event.rev) known.rev = event.rev;
    if (type === 'message.created') known.lastSeq = event.message.seq;
    if (type === 'read') known.lastReadSeq = event.seq;
  }
  return [...rooms.values()]
    .filter((room) => room.serverId === serverId || room.id === sessionId)
    .map((room) => ({ ...room, unread: expect.any(Number) }));
}

function bySortedId(rooms: { id: string }[]) {
  return rooms.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** A listener on a bare TCP socket that stops reading after its handshake, as a frozen client does. */
function stuckListener(port: number, token: string) {
  const socket = connect(port, '127.0.0.1');
  socket.write(
    `GET /api/v1/realtime HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
  let tail = Buffer.alloc(0);
  const ready = new Promise<void>((resolve) =>
    socket.on('data', (chunk) => {
      tail = Buffer.concat([tail, chunk]).subarray(-100);
      if (!chunk.includes('"ready"')) return;
      socket.pause();
      resolve();
    }),
  );
  // A close frame without a mask: 0x88, its length, and the code first in its payload.
  const closeCode = new Promise<number>((resolve) => socket.once('close', () => resolve(closeCodeIn(tail))));
  socket.on('error', () => undefined);
  return { ready, closeCode, resume: () => socket.resume() };
}

function closeCodeIn(tail: Buffer): number {
  const at = tail.lastIndexOf(0x88);
  return at < 0 ? 0 : tail.readUInt16BE(at + 2);
}

function unsigned(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none', typ: 'JWT' })}.${part({ sub: 'x', sid: 'x', typ: 'access', aud: 'parley', exp: 4e9 })}.`;
}

/** The same token with a shorter life, signed by the key that this test gave the app. */
function shortened(token: string, seconds: number): string {
  const [header, payload] = token.split('.') as [string, string];
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  const body = `${header}.${Buffer.from(JSON.stringify({ ...claims, exp: Math.floor(Date.now() / 1000) + seconds })).toString('base64url')}`;
  return `${body}.${createHmac('sha256', SECRET_KEY).update(body).digest('base64url')}`;
}
