import pg from 'pg';
import { type Person, person, serverOf, type Socket } from '../support/people.js';
import { runApp, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { until } from '../support/until.js';

const NOBODY = '01990000-0000-7000-8000-00000000dead';
const THUMB = encodeURIComponent('👍');

describe('what can be done with a message', () => {
  let database: TestDatabase;
  let app: RunningApp;
  /** ADMIN, MODERATOR and MEMBER of one server; somebody who was in it; somebody who never was. */
  let ada: Person;
  let mod: Person;
  let bob: Person;
  let past: Person;
  let eve: Person;
  let serverId: string;
  let room: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    app = await runApp({ DATABASE_URL: database.url, RATE_LIMIT: 'off' });
    [ada, mod, bob, past, eve] = (await Promise.all(
      ['ada', 'mod', 'bob', 'past', 'eve'].map((name) => person(app.url, name)),
    )) as [Person, Person, Person, Person, Person];
    ({ id: serverId, general: room } = await serverOf(ada, bob, past));
    await ada.post(`/servers/${serverId}/members`, { userId: mod.id, role: 'MODERATOR' });
    await ada.delete(`/servers/${serverId}/members/${past.id}`);
  }, 60_000);

  afterAll(async () => {
    await app.stop();
    await database.drop();
  }, 60_000);

  const at = (conversationId: string, messageId: string, rest = '') =>
    `/conversations/${conversationId}/messages/${messageId}${rest}`;
  const message = async (who: Person, conversationId: string, id: string) =>
    (await who.get(`/conversations/${conversationId}/messages?limit=100`)).body.items.find(
      (each: { id: string }) => each.id === id,
    );
  const query = async (sql: string) => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query(sql).finally(() => client.end());
    return rows;
  };
  const statuses = (answers: { status: number }[]) => answers.map(({ status }) => status);

  describe('reactions', () => {
    it('are counted once a person, however often they are put, and taken back as often', async () => {
      const { id } = await ada.say(room, 'react to this');
      const put = await bob.put(at(room, id, `/reactions/${THUMB}`));
      expect([put.status, put.body.reactions]).toEqual([200, [{ emoji: '👍', count: 1, me: true }]]);
      const again = await bob.put(at(room, id, `/reactions/${THUMB}`));
      expect(again.body).toEqual(put.body);
      await ada.put(at(room, id, `/reactions/${THUMB}`));
      await ada.put(at(room, id, '/reactions/:tada:'));
      const both = [
        { emoji: '👍', count: 2, me: true },
        { emoji: ':tada:', count: 1, me: false },
      ];
      expect((await message(bob, room, id)).reactions).toEqual(both);
      expect((await message(mod, room, id)).reactions).toEqual(both.map((kind) => ({ ...kind, me: false })));
      for (let twice = 0; twice < 2; twice += 1) {
        expect((await bob.delete(at(room, id, `/reactions/${THUMB}`))).status).toBe(204);
      }
      const { body: item } = await bob.get(`/conversations/${room}`);
      expect(item.lastMessage).toMatchObject({ id, rev: item.rev });
      expect(item.lastMessage.reactions).toEqual([
        { emoji: '👍', count: 1, me: false },
        { emoji: ':tada:', count: 1, me: false },
      ]);
    });

    it('come with the changes since a rev, as the reader has them', async () => {
      const { id, rev } = await ada.say(room, 'while you were away');
      await bob.put(at(room, id, '/reactions/:a:'));
      await ada.put(at(room, id, '/reactions/:a:'));
      for (const [who, me] of [[bob, true] as const, [mod, false] as const]) {
        const { body } = await who.get(`/conversations/${room}/changes?after=${rev}`);
        expect(body).toMatchObject({ rev: rev + 2, items: [{ id, reactions: [{ emoji: ':a:', count: 2, me }] }] });
        const socket = await who.socket();
        const changes = await socket.ask({ type: 'sync', conversationId: room, afterRev: rev });
        expect(changes.items).toEqual(body.items);
        socket.close();
      }
    });

    it('are told to each who listens as their own, in order, while others change the message too', async () => {
      const { id, rev: first } = await ada.say(room, 'everybody at once');
      const people = [ada, bob, mod];
      const sockets = await Promise.all(people.map((who) => who.socket()));
      await Promise.all(
        Array.from({ length: 12 }, (_, i) => [
          ...people.map((who) => who.put(at(room, id, `/reactions/:n${(i * 7) % 5}:`))),
          ...people.map((who) => who.delete(at(room, id, `/reactions/:n${(i * 3) % 5}:`))),
          ada.patch(at(room, id), { content: `everybody at once ${i}` }),
        ]).flat(),
      );
      const last = (await message(ada, room, id)).rev;
      expect(last).toBeGreaterThan(first + 12);
      for (const [i, socket] of sockets.entries()) {
        const newest = await socket.next(({ conversationId, rev }) => conversationId === room && rev === last);
        expect(newest.message).toEqual(await message(people[i] as Person, room, id));
        const revs = socket.of('message.updated').map(({ rev }) => rev);
        expect(revs).toEqual(Array.from({ length: last - first }, (_, n) => first + 1 + n));
        socket.close();
      }
    });

    it('of thousands leave those who are here told as before', async () => {
      const { id, rev } = await ada.say(room, 'thousands');
      await bob.put(at(room, id, `/reactions/${THUMB}`));
      await query(`WITH crowd AS (
          INSERT INTO users (id, username, username_key, display_name)
          SELECT uuidv7(), 'crowd' || n, 'crowd' || n, 'One of many' FROM generate_series(1, 2000) n RETURNING id
        ), chosen AS (
          INSERT INTO reactions (conversation_id, message_id, emoji, rev, user_id)
          SELECT '${room}', '${id}', '👍', ${rev} - row_number() OVER (), id FROM crowd
        ) UPDATE messages SET reactions = '[{"emoji": "👍", "count": 2001}]' WHERE id = '${id}'`);
      const [bobs, mods] = await Promise.all([bob.socket(), mod.socket()]);
      await ada.patch(at(room, id), { content: 'thousands of people' });
      for (const [socket, me] of [[bobs, true] as const, [mods, false] as const]) {
        const { message: told } = await socket.next('message.updated');
        expect(told).toMatchObject({ content: 'thousands of people', reactions: [{ emoji: '👍', count: 2001, me }] });
        socket.close();
      }
    });

    it('are of 20 kinds at most, however many people choose the same', async () => {
      const { id } = await ada.say(room, 'twenty kinds');
      for (let kind = 0; kind < 20; kind += 1) await bob.put(at(room, id, `/reactions/:kind-${kind}:`));
      expect(await ada.put(at(room, id, '/reactions/:kind-20:'))).toMatchObject({
        status: 409,
        body: { code: 'too_many_reactions' },
      });
      expect((await ada.put(at(room, id, '/reactions/:kind-7:'))).status).toBe(200);
      await bob.delete(at(room, id, '/reactions/:kind-0:'));
      expect((await ada.put(at(room, id, '/reactions/:kind-20:'))).body.reactions).toHaveLength(20);
    });

    it('are listed with who chose them, first come first, page by page', async () => {
      const { id } = await ada.say(room, 'who was it');
      for (const who of [mod, ada, bob]) await who.put(at(room, id, `/reactions/${encodeURIComponent('❤')}`));
      const names: string[] = [];
      for (let cursor = ''; ;) {
        const { body } = await bob.get(at(room, id, `/reactions/${encodeURIComponent('❤️')}?limit=2${cursor}`));
        names.push(...body.items.map(({ username }: { username: string }) => username));
        if (!body.nextCursor) break;
        cursor = `&cursor=${body.nextCursor}`;
      }
      expect(names).toEqual([mod.name, ada.name, bob.name]);
      expect((await bob.get(at(room, id, '/reactions/:none:'))).body).toEqual({ items: [], nextCursor: null });
    });

    it('are refused where they are none, and on what is not there', async () => {
      const { id } = await ada.say(room, 'no letters, please');
      for (const bad of ['a', 'ab', '%F0%9F%91%8D%F0%9F%91%8D', ':x', '%00', ':a%20b:', 'x'.repeat(3000)]) {
        const answers = await Promise.all(
          ['GET', 'PUT', 'DELETE'].map((method) => bob.call(method, at(room, id, `/reactions/${bad}`))),
        );
        expect([bad, ...answers.map(({ status, body }) => [status, body.code])]).toEqual([
          bad,
          ...Array<unknown>(3).fill([400, 'validation_failed']),
        ]);
      }
      expect((await bob.put(at(room, id, '/reactions/%E0%A4'))).status).toBe(400);
      expect((await bob.put(at(room, NOBODY, `/reactions/${THUMB}`))).status).toBe(404);
      expect((await bob.get(at(room, NOBODY, `/reactions/${THUMB}`))).status).toBe(404);
      await ada.delete(at(room, id));
      expect(await bob.put(at(room, id, `/reactions/${THUMB}`))).toMatchObject({ body: { code: 'message_deleted' } });
    });

    it('go with the message, and stay without their author when an account goes', async () => {
      const leaver = await person(app.url, 'leaver');
      await ada.post(`/servers/${serverId}/members`, { userId: leaver.id });
      const { id } = await ada.say(room, 'stays');
      const { id: gone } = await ada.say(room, 'goes');
      for (const each of [id, gone]) await leaver.put(at(room, each, `/reactions/${THUMB}`));
      const exported = await leaver.get('/users/me/export');
      expect(lines(exported.body).filter(({ type }) => type === 'reaction')).toEqual([
        { type: 'reaction', conversationId: room, messageId: id, emoji: '👍', createdAt: expect.any(String) },
        { type: 'reaction', conversationId: room, messageId: gone, emoji: '👍', createdAt: expect.any(String) },
      ]);
      await ada.delete(at(room, gone));
      expect(await message(bob, room, gone)).toMatchObject({ content: null, reactions: [] });
      expect((await bob.get(at(room, gone, `/reactions/${THUMB}`))).body.items).toEqual([]);
      expect((await leaver.call('DELETE', '/users/me')).status).toBe(204);
      expect((await message(bob, room, id)).reactions).toEqual([{ emoji: '👍', count: 1, me: false }]);
      expect((await bob.get(at(room, id, `/reactions/${THUMB}`))).body.items).toMatchObject([
        { username: 'deleted-user' },
      ]);
    });
  });

  describe('revisions', () => {
    it('tell its author and moderators what a message said before, page by page', async () => {
      const { id } = await bob.say(room, 'one');
      for (const content of ['two', 'two', 'three']) await bob.patch(at(room, id), { content });
      await ada.put(at(room, id, `/reactions/${THUMB}`));
      await bob.patch(at(room, id), { content: 'four' });
      for (const who of [bob, mod, ada]) {
        const { body } = await who.get(at(room, id, '/revisions?limit=2'));
        const rest = await who.get(at(room, id, `/revisions?limit=2&cursor=${body.nextCursor}`));
        const contents = [...body.items, ...rest.body.items].map(({ content }) => content);
        expect([contents, rest.body.nextCursor]).toEqual([['one', 'two', 'three'], null]);
      }
      const { id: hers } = await ada.say(room, 'hers');
      await ada.patch(at(room, hers), { content: 'hers, edited' });
      expect((await bob.get(at(room, hers, '/revisions'))).status).toBe(403);
      const mine = lines((await bob.get('/users/me/export')).body).filter(({ type }) => type === 'revision');
      expect(mine.map(({ content }) => content)).toEqual(['one', 'two', 'three']);
    });

    it('go with the message', async () => {
      const { id } = await bob.say(room, 'a slip of the tongue');
      await bob.patch(at(room, id), { content: 'nothing' });
      await mod.delete(at(room, id));
      for (const who of [bob, mod]) expect((await who.get(at(room, id, '/revisions'))).body.items).toEqual([]);
    });
  });

  describe('bulk deletion', () => {
    const bulk = (who: Person, messageIds: unknown, conversationId = room) =>
      who.post(`/conversations/${conversationId}/messages/bulk-delete`, { messageIds });

    it('leaves the places of up to a hundred messages, each with a rev of its own, and tells of each', async () => {
      const { general } = await serverOf(ada, bob);
      const ids: string[] = [];
      for (let i = 0; i < 100; i += 1) ids.push((await (i % 2 ? ada : bob).say(general, `spam ${i}`)).id);
      const [kept, gone] = [await bob.say(general, 'no spam'), await bob.say(general, 'gone')];
      await bob.delete(at(general, gone.id));
      const socket = await bob.socket();
      const { status, body } = await bulk(ada, [...ids.slice(0, 97).toReversed(), ids[0], gone.id, NOBODY], general);
      expect([status, body]).toEqual([200, { deleted: 97 }]);
      await socket.settle();
      const told = socket.of('message.deleted');
      expect(told.map(({ rev }) => rev)).toEqual(Array.from({ length: 97 }, (_, i) => 104 + i));
      expect(told.map(({ message }) => message.seq)).toEqual(Array.from({ length: 97 }, (_, i) => 1 + i));
      const { items } = (await bob.get(`/conversations/${general}/messages?limit=100`)).body;
      expect(items.filter(({ content }: any) => content !== null).map(({ id }: any) => id)).toEqual([
        ...ids.slice(97),
        kept.id,
      ]);
      expect(JSON.stringify(items)).not.toContain('spam 5"');
      expect((await bob.get(`/conversations/${general}`)).body.unread).toBe(2);
      socket.close();
    });

    it('is for moderators, of this conversation only, and of a hundred at most', async () => {
      const { id } = await bob.say(room, 'stays');
      expect((await bulk(bob, [id])).status).toBe(403);
      expect(statuses([await bulk(eve, [id]), await bulk(past, [id])])).toEqual([404, 404]);
      const { general } = await serverOf(bob);
      expect((await bulk(bob, [id], general)).body).toEqual({ deleted: 0 });
      expect((await message(bob, room, id)).content).toBe('stays');
      for (const bad of [undefined, null, [], id, [null], ['x'], [[id]], Array(101).fill(id)]) {
        expect(await bulk(mod, bad)).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
      }
      expect((await bulk(mod, [id])).body).toEqual({ deleted: 1 });
    });
  });

  describe('pins', () => {
    it('are kept at hand in the order of pinning, fifty of them, by those who moderate', async () => {
      const { id: server, general } = await serverOf(ada, bob);
      const ids: string[] = [];
      for (let i = 0; i < 51; i += 1) ids.push((await bob.say(general, `keep ${i}`)).id);
      expect((await bob.put(at(general, ids[0] as string, '/pin'))).status).toBe(403);
      await ada.patch(`/servers/${server}/members/${bob.id}`, { role: 'MODERATOR' });
      const [first] = await Promise.all(ids.slice(0, 50).map((id) => bob.put(at(general, id, '/pin'))));
      expect(first).toMatchObject({ status: 200, body: { id: ids[0], pinnedAt: expect.any(String) } });
      expect((await bob.put(at(general, ids[0] as string, '/pin'))).body).toEqual(first?.body);
      expect(await ada.put(at(general, ids[50] as string, '/pin'))).toMatchObject({ body: { code: 'too_many_pins' } });
      expect((await ada.delete(at(general, ids[7] as string, '/pin'))).status).toBe(204);
      expect((await ada.delete(at(general, ids[7] as string, '/pin'))).status).toBe(204);
      expect((await ada.put(at(general, ids[50] as string, '/pin'))).status).toBe(200);
      const { items, nextCursor } = (await bob.get(`/conversations/${general}/pins?limit=30`)).body;
      const rest = (await bob.get(`/conversations/${general}/pins?limit=30&cursor=${nextCursor}`)).body;
      const all = [...items, ...rest.items];
      expect([all[0].id, all.length, rest.nextCursor]).toEqual([ids[50], 50, null]);
      expect(all.map(({ pinnedAt }) => pinnedAt)).toEqual(
        all
          .map(({ pinnedAt }) => pinnedAt)
          .toSorted()
          .toReversed(),
      );
    });

    it('go with the message, and belong to the owner in a session', async () => {
      const session = (await bob.post('/sessions', { type: 'peer' })).body.id;
      const { id } = await bob.say(session, 'my note');
      expect((await bob.put(at(session, id, '/pin'))).status).toBe(200);
      expect((await bob.get(`/conversations/${session}/pins`)).body.items).toMatchObject([{ id }]);
      await bob.delete(at(session, id));
      expect((await bob.get(`/conversations/${session}/pins`)).body.items).toEqual([]);
      expect(await bob.put(at(session, id, '/pin'))).toMatchObject({ status: 409, body: { code: 'message_deleted' } });
      expect(
        statuses([await eve.get(`/conversations/${session}/pins`), await past.get(`/conversations/${room}/pins`)]),
      ).toEqual([404, 404]);
    });
  });

  describe('threads', () => {
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
      expect(await message(mod, general, id)).toMatchObject({ threadId: thread, rev: 2 });
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
      expect(found.map(({ body }) => body.items.map(({ conversation }: any) => conversation.id))).toEqual([
        [thread],
        [],
      ]);
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
      expect(await message(bob, channel, first.id)).toMatchObject({ content: null, threadId: thread });
      expect(await open(bob, channel, first.id)).toMatchObject({ status: 200, body: { id: thread } });
      expect(await open(bob, channel, second.id)).toMatchObject({ status: 409, body: { code: 'message_deleted' } });
      await ada.delete(`/channels/${channel}`);
      expect((await bob.get(`/conversations/${thread}`)).status).toBe(404);
      expect(await query(`SELECT id FROM conversations WHERE id = '${thread}'`)).toEqual([]);
    });
  });

  it('opens to nobody who cannot see or do it, nor through another conversation', async () => {
    const { id } = await bob.say(room, 'guarded');
    const elsewhere = (await serverOf(bob)).general;
    const acts: [string, string, unknown?][] = [
      ['PUT', `/reactions/${THUMB}`],
      ['GET', `/reactions/${THUMB}`],
      ['DELETE', `/reactions/${THUMB}`],
      ['GET', '/revisions'],
      ['PUT', '/pin'],
      ['DELETE', '/pin'],
      ['POST', '/thread'],
    ];
    for (const [method, rest, body] of acts) {
      const by = (who: Person, conversationId = room) => who.call(method, at(conversationId, id, rest), body);
      expect([method, rest, ...statuses(await Promise.all([by(eve), by(past), by(bob, elsewhere)]))]).toEqual([
        method,
        rest,
        404,
        404,
        404,
      ]);
    }
    expect((await message(ada, room, id)).reactions).toEqual([]);
  });

  it('shows those who only listened what a fresh load shows them, each with what is theirs', async () => {
    const { general } = await serverOf(ada, bob, eve);
    const listeners = await Promise.all([ada, bob, bob, eve].map(async (who) => ({ who, socket: await who.socket() })));
    const [first, second] = [await ada.say(general, 'one'), await bob.say(general, 'two')];
    await bob.put(at(general, first.id, `/reactions/${THUMB}`));
    await ada.put(at(general, first.id, `/reactions/${THUMB}`));
    await ada.put(at(general, first.id, '/reactions/:tada:'));
    await bob.put(at(general, second.id, '/reactions/:wave:'));
    await ada.patch(at(general, first.id), { content: 'one, edited' });
    await bob.delete(at(general, second.id, '/reactions/:wave:'));
    await eve.put(at(general, second.id, '/reactions/:eyes:'));
    await ada.put(at(general, first.id, '/pin'));
    await ada.put(at(general, second.id, '/pin'));
    await ada.delete(at(general, first.id, '/pin'));
    await eve.post(at(general, first.id, '/thread'));
    const named = await ada.say(general, `@${bob.name} @everyone`);
    await ada.patch(at(general, named.id), { content: `@${eve.name}` });
    const spam = [(await eve.say(general, 'spam')).id, (await eve.say(general, 'more spam')).id];
    await ada.post(`/conversations/${general}/messages/bulk-delete`, { messageIds: spam });
    await ada.delete(at(general, second.id));
    for (const { who, socket } of listeners) {
      const fresh = (await who.get(`/conversations/${general}/messages`)).body.items;
      // A change of a message with reactions waits until it is known whose these are, and what comes after waits with it.
      const last = Math.max(...fresh.map(({ rev }: { rev: number }) => rev));
      await until(() => Promise.resolve(socket.heard.some(({ message }) => message?.rev === last)));
      expect([who.name, messagesHeard(socket, general)]).toEqual([who.name, fresh]);
      socket.close();
    }
    const [hers, his, , others] = listeners.map(({ socket }) =>
      socket.heard.findLast(({ message }) => message?.id === first.id && message.editedAt),
    );
    expect(hers?.message.reactions.map(({ me }: { me: boolean }) => me)).toEqual([true, true]);
    expect(his?.message.reactions.map(({ me }: { me: boolean }) => me)).toEqual([true, false]);
    expect(others?.message.reactions.map(({ me }: { me: boolean }) => me)).toEqual([false, false]);
  });
});

/** What a client has that keeps of each message the state with the highest rev it was told of, in order of seq. */
function messagesHeard(socket: Socket, conversationId: string) {
  const kept = new Map<string, any>();
  for (const frame of socket.heard) {
    if (frame.conversationId !== conversationId || !frame.message) continue;
    const { message } = frame;
    if ((kept.get(message.id)?.rev ?? 0) < message.rev) kept.set(message.id, message);
  }
  return [...kept.values()].sort((a, b) => a.seq - b.seq);
}

function lines(text: string): any[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}
