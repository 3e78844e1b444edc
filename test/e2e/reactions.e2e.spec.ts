import { at, type Community, messageAs, openCommunity, THUMB } from '../support/community.js';
import { type Person, person } from '../support/people.js';
import type { RunningApp } from '../support/run-app.js';

const NOBODY = '01990000-0000-7000-8000-00000000dead';

describe('reactions', () => {
  let community: Community;
  let app: RunningApp;
  let serverId: string;
  let room: string;
  let ada: Person;
  let mod: Person;
  let bob: Person;
  let query: Community['query'];

  beforeAll(async () => {
    community = await openCommunity();
    ({ app, serverId, room, ada, mod, bob, query } = community);
  }, 60_000);

  afterAll(() => community.close(), 60_000);

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
    expect((await messageAs(bob, room, id)).reactions).toEqual(both);
    expect((await messageAs(mod, room, id)).reactions).toEqual(both.map((kind) => ({ ...kind, me: false })));
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
    const last = (await messageAs(ada, room, id)).rev;
    expect(last).toBeGreaterThan(first + 12);
    for (const [i, socket] of sockets.entries()) {
      const newest = await socket.next(({ conversationId, rev }) => conversationId === room && rev === last);
      expect(newest.message).toEqual(await messageAs(people[i] as Person, room, id));
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
    expect(await leaver.exported('reaction')).toEqual([
      { type: 'reaction', conversationId: room, messageId: id, emoji: '👍', createdAt: expect.any(String) },
      { type: 'reaction', conversationId: room, messageId: gone, emoji: '👍', createdAt: expect.any(String) },
    ]);
    await ada.delete(at(room, gone));
    expect(await messageAs(bob, room, gone)).toMatchObject({ content: null, reactions: [] });
    expect((await bob.get(at(room, gone, `/reactions/${THUMB}`))).body.items).toEqual([]);
    expect((await leaver.call('DELETE', '/users/me')).status).toBe(204);
    expect((await messageAs(bob, room, id)).reactions).toEqual([{ emoji: '👍', count: 1, me: false }]);
    expect((await bob.get(at(room, id, `/reactions/${THUMB}`))).body.items).toMatchObject([
      { username: 'deleted-user' },
    ]);
  });
});
