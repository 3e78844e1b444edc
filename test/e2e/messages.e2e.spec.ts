import { at, type Community, messageAs, openCommunity, statuses, THUMB } from '../support/community.js';
import { type Person, serverOf, type Socket } from '../support/people.js';
import { until } from '../support/until.js';

const NOBODY = '01990000-0000-7000-8000-00000000dead';

describe('what can be done with a message', () => {
  let community: Community;
  let room: string;
  let ada: Person;
  let mod: Person;
  let bob: Person;
  let past: Person;
  let eve: Person;

  beforeAll(async () => {
    community = await openCommunity();
    ({ room, ada, mod, bob, past, eve } = community);
  }, 60_000);

  afterAll(() => community.close(), 60_000);

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
      const mine = await bob.exported('revision');
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
      expect((await messageAs(bob, room, id)).content).toBe('stays');
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
    expect((await messageAs(ada, room, id)).reactions).toEqual([]);
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
