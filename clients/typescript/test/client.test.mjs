import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { WebSocket as PlainWebSocket } from 'ws';
import { Parley, ProblemError, RefusedError } from '../dist/index.js';
import { startApp } from './app.mjs';
import { documentErrors, frameErrors, watched } from './asyncapi.mjs';

const faults = [];
const WebSocket = watched(PlainWebSocket, faults);

let app;
before(async () => (app = await startApp()), { timeout: 120_000 });
after(() => app.remove());

let people = 0;
async function person(name, options = {}) {
  const username = `${name}_${(people += 1)}`;
  const parley = new Parley({ url: app.url, ...options });
  const user = await parley.register({ username, email: `${username}@example.org`, password: 'correct horse battery' });
  return { parley, user };
}

/** A server of `owner` with these members: the id of its channel. */
async function channelOf(owner, ...members) {
  const { data } = await owner.parley.api.POST('/api/v1/servers', { body: { name: 'A server' } });
  for (const { user } of members) {
    const params = { path: { id: data.id } };
    await owner.parley.api.POST('/api/v1/servers/{id}/members', { params, body: { userId: user.id } });
  }
  return data.channels[0].id;
}

/** A connection that keeps what it has heard. */
function listen({ parley }, options = {}) {
  const realtime = parley.realtime({ WebSocket, ...options });
  const heard = [];
  realtime.on('message', (message) => heard.push(message));
  const until = (type, fits = () => true) =>
    new Promise((resolve) => {
      const stop = realtime.on(type, (event) => {
        if (fits(event)) resolve((stop(), event));
      });
    });
  const ready = until('ready');
  realtime.connect();
  return { realtime, heard, until, ready };
}

const texts = (messages) => messages.map(({ content }) => content);

describe('docs/asyncapi.yaml', () => {
  it('is what the specification asks for', () => {
    assert.deepEqual(documentErrors(), []);
  });

  it('knows a frame that does not fit', () => {
    assert.deepEqual(frameErrors('hear', { type: 'made.up' }), ['hear.made.up is not described']);
    assert.notDeepEqual(frameErrors('send', { type: 'read', conversationId: 'x', seq: 1 }), []);
  });
});

describe('calls', () => {
  it('are typed, bear the token, and say in a problem what was refused', async () => {
    const ada = await person('ada');
    const { data } = await ada.parley.api.GET('/api/v1/users/me');
    assert.equal(data.username, ada.user.username);
    await assert.rejects(
      new Parley({ url: app.url }).signIn({ login: ada.user.username, password: 'a wrong password' }),
      (error) => error instanceof ProblemError && error.status === 401 && error.code === 'unauthorized',
    );
  });

  it('exchange the token in time, once for all that wait for it', async () => {
    const kept = [];
    const ada = await person('ada', { onTokens: (pair) => kept.push(pair) });
    ada.parley.resume({ ...kept[0], expiresIn: 0 });
    const answers = await Promise.all(Array.from({ length: 5 }, () => ada.parley.api.GET('/api/v1/users/me')));
    assert.deepEqual(
      answers.map(({ response }) => response.status),
      [200, 200, 200, 200, 200],
    );
    assert.equal(kept.length, 2);
  });
});

describe('the realtime client', () => {
  it('shows a message at once, and tells everybody when it is stored', async () => {
    const [ada, bob] = [await person('ada'), await person('bob')];
    const channel = await channelOf(ada, bob);
    const [here, there] = [listen(ada), listen(bob)];
    await Promise.all([here.ready, there.ready]);
    const arrived = there.until('message');
    const pending = here.realtime.send({ conversationId: channel, content: 'Hello, Bob' });
    assert.equal(pending.draft.content, 'Hello, Bob');
    const stored = await pending.stored;
    assert.equal((await arrived).id, stored.id);
    await assert.rejects(
      here.realtime.send({ conversationId: channel, content: ' ' }).stored,
      (error) => error instanceof RefusedError && error.code === 'validation_failed',
    );
    here.realtime.close();
    there.realtime.close();
  });

  it('sends what was written before it was connected', async () => {
    const ada = await person('ada');
    const channel = await channelOf(ada);
    const realtime = ada.parley.realtime({ WebSocket });
    const pending = realtime.send({ conversationId: channel, content: 'early' });
    realtime.connect();
    assert.equal((await pending.stored).content, 'early');
    realtime.close();
  });

  it('notices what it has not heard, and asks for it', async () => {
    const [ada, bob] = [await person('ada'), await person('bob')];
    const channel = await channelOf(ada, bob);
    const deaf = listen(bob, { WebSocket: without((frame) => frame.message?.content === 'lost') });
    const sender = listen(ada);
    await Promise.all([deaf.ready, sender.ready]);
    const last = deaf.until('message', ({ content }) => content === 'three');
    for (const content of ['one', 'lost', 'three']) {
      await sender.realtime.send({ conversationId: channel, content }).stored;
    }
    await last;
    assert.deepEqual(texts(deaf.heard), ['one', 'lost', 'three']);
    deaf.realtime.close();
    sender.realtime.close();
  });

  it('goes on from where an earlier run ended', async () => {
    const [ada, bob] = [await person('ada'), await person('bob')];
    const channel = await channelOf(ada, bob);
    const sender = listen(ada);
    const first = listen(bob);
    await Promise.all([sender.ready, first.ready]);
    const heard = first.until('message');
    await sender.realtime.send({ conversationId: channel, content: 'before' }).stored;
    await heard;
    const { revs } = first.realtime;
    first.realtime.close();
    await sender.realtime.send({ conversationId: channel, content: 'meanwhile' }).stored;
    const second = listen(bob, { revs });
    await second.until('message');
    assert.deepEqual(texts(second.heard), ['meanwhile']);
    second.realtime.close();
    sender.realtime.close();
  });

  it('says of all that goes with a server or a conversation that it is gone', async () => {
    const [ada, bob] = [await person('ada'), await person('bob')];
    const { data: server } = await ada.parley.api.POST('/api/v1/servers', { body: { name: 'A server' } });
    const params = { path: { id: server.id } };
    await ada.parley.api.POST('/api/v1/servers/{id}/members', { params, body: { userId: bob.user.id } });
    const channel = server.channels[0].id;
    const [hers, his] = [listen(ada), listen(bob)];
    await Promise.all([hers.ready, his.ready]);
    const { id: messageId } = await his.realtime.send({ conversationId: channel, content: 'hello' }).stored;
    const onMessage = { params: { path: { id: channel, messageId } } };
    const { data: thread } = await bob.parley.api.POST(
      '/api/v1/conversations/{id}/messages/{messageId}/thread',
      onMessage,
    );
    const gone = [];
    his.realtime.on('gone', ({ conversationId }) => gone.push(conversationId));
    const removed = his.until('event', ({ type }) => type === 'member.removed');
    const member = { params: { path: { id: server.id, userId: bob.user.id } } };
    await ada.parley.api.DELETE('/api/v1/servers/{id}/members/{userId}', member);
    await removed;
    assert.deepEqual(gone.sort(), [channel, thread.id].sort());

    const { id: hello } = await hers.realtime.send({ conversationId: channel, content: 'hello' }).stored;
    const { data: hersToo } = await ada.parley.api.POST('/api/v1/conversations/{id}/messages/{messageId}/thread', {
      params: { path: { id: channel, messageId: hello } },
    });
    const both = new Set();
    hers.realtime.on('gone', ({ conversationId }) => both.add(conversationId));
    const deleted = hers.until('event', ({ type }) => type === 'conversation.deleted');
    await ada.parley.api.DELETE('/api/v1/channels/{id}', { params: { path: { id: channel } } });
    await deleted;
    assert.deepEqual(both, new Set([channel, hersToo.id]));
    hers.realtime.close();
    his.realtime.close();
  });

  it('asks again for what it missed where the server could not say it', async () => {
    const [ada, bob] = [await person('ada'), await person('bob')];
    const channel = await channelOf(ada, bob);
    const sender = listen(ada);
    await sender.ready;
    await sender.realtime.send({ conversationId: channel, content: 'before' }).stored;
    const refused = listen(bob, { WebSocket: refusingOneSync('unavailable'), revs: { [channel]: 0 } });
    const gone = [];
    refused.realtime.on('gone', (event) => gone.push(event));
    await refused.until('message');
    assert.deepEqual([texts(refused.heard), gone], [['before'], []]);
    refused.realtime.close();
    sender.realtime.close();
  });

  it('leaves what answers an earlier sync than the last, of before the conversation was lost', async () => {
    const [ada, bob] = [await person('ada'), await person('bob')];
    const channel = await channelOf(ada, bob);
    const sender = listen(ada);
    await sender.ready;
    const message = await sender.realtime.send({ conversationId: channel, content: 'before' }).stored;
    const stale = { items: [{ ...message, content: 'stale' }], rev: 99, more: false, reset: false, clearedSeq: 0 };
    const back = listen(bob, { WebSocket: answeringAnotherSyncFirst(stale), revs: { [channel]: 0 } });
    await back.until('message', ({ content }) => content === 'before');
    assert.deepEqual([texts(back.heard), back.realtime.revs[channel]], [['before'], 1]);
    back.realtime.close();
    sender.realtime.close();
  });

  it('tells the socket its next token before the old one ends', async () => {
    const kept = [];
    const ada = await person('ada', { onTokens: (pair) => kept.push(pair) });
    ada.parley.resume({ ...kept[0], expiresIn: 2 });
    const sent = [];
    const told = new Promise((resolve) => {
      const Recording = class extends WebSocket {
        send(data) {
          sent.push(JSON.parse(data));
          super.send(data);
          if (sent.at(-1).type === 'authenticate') resolve(sent.at(-1));
        }
      };
      listen(ada, { WebSocket: Recording }).ready.then(() => undefined);
    });
    assert.equal((await told).token, kept[1].accessToken);
    await ada.parley.signOut();
  });

  it('ends when the login does', async () => {
    const ada = await person('ada');
    const { ready, until } = listen(ada);
    await ready;
    const ended = until('ended');
    await ada.parley.signOut();
    await ended;
  });

  it('loses nothing and doubles nothing when the server is killed in a burst', { timeout: 120_000 }, async () => {
    const [ada, bob] = [await person('ada'), await person('bob')];
    const channel = await channelOf(ada, bob);
    const [sender, reader] = [listen(ada), listen(bob)];
    await Promise.all([sender.ready, reader.ready]);
    const contents = Array.from({ length: 300 }, (_, i) => `message ${i}`);
    const all = reader.until('message', ({ content }) => content === contents.at(-1));
    const stored = contents.map((content) => sender.realtime.send({ conversationId: channel, content }).stored);
    await stored[20];
    await app.end('SIGKILL');
    await app.startAgain();
    const messages = await Promise.all(stored);
    await all;
    assert.deepEqual(texts(reader.heard), contents);
    assert.deepEqual(
      reader.heard.map(({ id }) => id),
      messages.map(({ id }) => id),
    );
    sender.realtime.close();
    reader.realtime.close();
  });
});

describe('every frame of these tests', () => {
  it('is as docs/asyncapi.yaml says', () => {
    assert.deepEqual(faults, []);
  });
});

/** A socket whose first sync is refused before it leaves. */
function refusingOneSync(code) {
  let isRefused = false;
  return class extends WebSocket {
    send(text) {
      const { type, ref } = JSON.parse(text);
      if (type !== 'sync' || isRefused) return super.send(text);
      isRefused = true;
      const error = JSON.stringify({ type: 'error', ref, code, message: 'not now' });
      setImmediate(() => this.emit('message', Buffer.from(error), false));
    }
  };
}

/** A socket that hears the answer to an earlier sync just when it asks for one. */
function answeringAnotherSyncFirst(answer) {
  return class extends WebSocket {
    send(text) {
      const { type, conversationId } = JSON.parse(text);
      if (type === 'sync') {
        const changes = JSON.stringify({ type: 'changes', ref: `sync ${conversationId} 0`, conversationId, ...answer });
        this.emit('message', Buffer.from(changes), false);
      }
      super.send(text);
    }
  };
}

/** A socket on which these frames are lost. */
function without(isLost) {
  return class extends WebSocket {
    addEventListener(type, listener) {
      if (type !== 'message') return super.addEventListener(type, listener);
      super.addEventListener(type, (event) => isLost(JSON.parse(event.data)) || listener(event));
    }
  };
}
