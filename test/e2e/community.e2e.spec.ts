import pg from 'pg';
import { Person, person, serverOf, type Socket } from '../support/people.js';
import { runApp, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const NOBODY = '01990000-0000-7000-8000-00000000dead';

describe('a community', () => {
  let database: TestDatabase;
  let app: RunningApp;
  let ada: Person;
  let bob: Person;
  let carol: Person;
  let mallory: Person;
  let serverId: string;
  let room: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    app = await runApp({ DATABASE_URL: database.url, RATE_LIMIT: 'off' });
    [ada, bob, carol, mallory] = (await Promise.all(
      ['ada', 'bob', 'carol', 'mallory'].map((name) => person(app.url, name)),
    )) as [Person, Person, Person, Person];
  }, 60_000);
  beforeEach(async () => {
    ({ id: serverId, general: room } = await serverOf(ada, carol));
    await ada.post(`/servers/${serverId}/members`, { userId: bob.id, role: 'MODERATOR' });
  });
  afterAll(async () => {
    await app.stop();
    await database.drop();
  }, 60_000);

  const channelsOf = async (who: Person) => (await who.get(`/servers/${serverId}/channels`)).body.items as Channel[];
  const channel = async (body: object) =>
    (await ada.post(`/servers/${serverId}/channels`, { type: 'TEXT', ...body })).body;

  describe('roles', () => {
    type Role = 'ADMIN' | 'MODERATOR' | 'MEMBER';
    const ROLES = ['ADMIN', 'MODERATOR', 'MEMBER', null] as const;
    let actors: Person[];
    let targets: Map<Role | null, Person>;

    beforeAll(async () => {
      const people = await Promise.all(
        Array.from({ length: 8 }, (_, i) => person(app.url, `${i < 4 ? 'actor' : 'target'}${i}`)),
      );
      actors = people.slice(0, 4);
      targets = new Map(ROLES.map((role, i) => [role, people[4 + i] as Person]));
    }, 60_000);

    /** Whoever was acted on has their role again, or none. */
    const restore = async (role: Role | null) => {
      const { id } = targets.get(role) as Person;
      await ada.delete(`/servers/${serverId}/bans/${id}`);
      await ada.post(`/servers/${serverId}/members`, { userId: id, role: role ?? 'MEMBER' });
      if (role !== 'ADMIN') await ada.patch(`/servers/${serverId}/members/${id}`, { role: role ?? 'MEMBER' });
      if (role === null) await ada.delete(`/servers/${serverId}/members/${id}`);
    };
    const act = (who: Person, action: string, { id: userId }: Person) => {
      const members = `/servers/${serverId}/members`;
      const [verb, role] = action.split(' ');
      if (verb === 'add') return who.post(members, { userId, role });
      if (verb === 'make') return who.patch(`${members}/${userId}`, { role });
      return verb === 'ban' ? who.put(`/servers/${serverId}/bans/${userId}`) : who.delete(`${members}/${userId}`);
    };

    it('act on people of a lower role, and an ADMIN on the role of another', async () => {
      //                                   by an ADMIN, MODERATOR, MEMBER, stranger
      const table: [string, Role | null, ...number[]][] = [
        ['remove', 'MEMBER', 204, 204, 403, 404],
        ['remove', 'MODERATOR', 204, 403, 403, 404],
        ['remove', 'ADMIN', 403, 403, 403, 404],
        ['remove', null, 404, 404, 403, 404],
        ['ban', 'MEMBER', 204, 204, 403, 404],
        ['ban', 'MODERATOR', 204, 403, 403, 404],
        ['ban', 'ADMIN', 403, 403, 403, 404],
        ['ban', null, 204, 204, 403, 404],
        ['add MEMBER', null, 201, 201, 403, 404],
        ['add MODERATOR', null, 201, 403, 403, 404],
        ['add ADMIN', null, 201, 403, 403, 404],
        ['add MEMBER', 'MEMBER', 409, 409, 403, 404],
        ['make MODERATOR', 'MEMBER', 200, 403, 403, 404],
        ['make ADMIN', 'MEMBER', 200, 403, 403, 404],
        ['make MEMBER', 'MODERATOR', 200, 403, 403, 404],
        ['make ADMIN', 'MODERATOR', 200, 403, 403, 404],
        ['make MEMBER', 'ADMIN', 200, 403, 403, 404],
        ['make MODERATOR', 'ADMIN', 200, 403, 403, 404],
        ['make MEMBER', null, 404, 403, 403, 404],
      ];
      for (const [i, role] of ROLES.entries()) {
        if (role) await ada.post(`/servers/${serverId}/members`, { userId: actors[i]?.id, role });
        if (role) await restore(role);
      }
      for (const [action, role, ...expected] of table) {
        const seen: number[] = [];
        for (const actor of actors) {
          const { status } = await act(actor, action, targets.get(role) as Person);
          seen.push(status);
          if (status < 300) await restore(role);
          // An ADMIN is made one again by who is left of them.
          if (status < 300 && role === 'ADMIN') await act(ada, 'make ADMIN', targets.get(role) as Person);
        }
        expect([action, role, ...seen]).toEqual([action, role, ...expected]);
      }
    }, 60_000);

    it('do in the server and its rooms what they may, and no more', async () => {
      for (const [i, role] of ROLES.entries()) {
        if (role) await ada.post(`/servers/${serverId}/members`, { userId: actors[i]?.id, role });
      }
      const at = `/servers/${serverId}`;
      let nth = 0;
      const said = async () => `/conversations/${room}/messages/${(await ada.say(room, 'to be acted on')).id}`;
      const made = async (what: string, more = {}) =>
        (await ada.post(`${at}/${what}`, { name: `made ${(nth += 1)}`, ...more })).body.id as string;
      const text = { type: 'TEXT' };
      const table: [string, (who: Person) => Promise<{ status: number }>, ...number[]][] = [
        ['see the server', (who) => who.get(at), 200, 200, 200, 404],
        ['see its channels', (who) => who.get(`${at}/channels`), 200, 200, 200, 404],
        ['see its members', (who) => who.get(`${at}/members`), 200, 200, 200, 404],
        ['see its bans', (who) => who.get(`${at}/bans`), 200, 200, 403, 404],
        ['see its audit log', (who) => who.get(`${at}/audit`), 200, 403, 403, 404],
        ['change it', (who) => who.patch(at, { name: 'Changed' }), 200, 403, 403, 404],
        ['make a channel', (who) => who.post(`${at}/channels`, { name: `by ${who.id}`, ...text }), 201, 403, 403, 404],
        ['change one', (who) => who.patch(`/channels/${room}`, { topic: 'changed' }), 200, 403, 403, 404],
        ['delete one', async (who) => who.delete(`/channels/${await made('channels', text)}`), 204, 403, 403, 404],
        ['make a category', (who) => who.post(`${at}/categories`, { name: `by ${who.id}` }), 201, 403, 403, 404],
        ['delete one', async (who) => who.delete(`${at}/categories/${await made('categories')}`), 204, 403, 403, 404],
        ['make an invite', (who) => who.post(`${at}/invites`), 201, 201, 403, 404],
        ['read', (who) => who.get(`/conversations/${room}/messages`), 200, 200, 200, 404],
        ['send', (who) => who.post(`/conversations/${room}/messages`, { content: 'x' }), 201, 201, 201, 404],
        ['react', async (who) => who.put(`${await said()}/reactions/:x:`), 200, 200, 200, 404],
        ['pin', async (who) => who.put(`${await said()}/pin`), 200, 200, 403, 404],
        ["delete another's message", async (who) => who.delete(await said()), 204, 204, 403, 404],
        ["edit another's message", async (who) => who.patch(await said(), { content: 'y' }), 403, 403, 403, 404],
        ['delete the server', async (who) => who.delete(at), 204, 404, 404, 404],
      ];
      for (const [action, attempt, ...expected] of table) {
        const seen: number[] = [];
        for (const actor of actors) seen.push((await attempt(actor)).status);
        expect([action, ...seen]).toEqual([action, ...expected]);
      }
    }, 60_000);
  });

  describe('bans', () => {
    it('take a member out at once and keep them out by every way in, until they are lifted', async () => {
      const ears = await carol.socket();
      const { code } = (await ada.post(`/servers/${serverId}/invites`)).body;
      expect((await bob.put(`/servers/${serverId}/bans/${carol.id}`, { reason: 'spam' })).status).toBe(204);
      expect((await bob.put(`/servers/${serverId}/bans/${carol.id}`)).status).toBe(204);
      await ears.next('member.removed');
      await ada.say(room, 'without carol');
      await ears.settle();
      expect(ears.of('message.created')).toEqual([]);
      expect((await carol.get(`/conversations/${room}/messages`)).status).toBe(404);
      expect((await carol.post(`/invites/${code}`)).body).toMatchObject({ status: 403, code: 'banned' });
      expect((await ada.post(`/servers/${serverId}/members`, { userId: carol.id })).body.code).toBe('banned');
      expect((await ada.get(`/servers/${serverId}/bans`)).body.items).toMatchObject([
        { user: { id: carol.id }, bannedBy: bob.id, reason: 'spam' },
      ]);
      expect((await bob.delete(`/servers/${serverId}/bans/${carol.id}`)).status).toBe(204);
      expect((await bob.delete(`/servers/${serverId}/bans/${carol.id}`)).status).toBe(404);
      expect((await carol.post(`/invites/${code}`)).status).toBe(201);
      ears.close();
    });

    it('reach strangers, nobody of the same role or above, and not oneself', async () => {
      expect((await bob.put(`/servers/${serverId}/bans/${mallory.id}`)).status).toBe(204);
      expect((await bob.put(`/servers/${serverId}/bans/${ada.id}`)).status).toBe(403);
      expect((await bob.put(`/servers/${serverId}/bans/${bob.id}`)).status).toBe(403);
      expect((await ada.put(`/servers/${serverId}/bans/${ada.id}`)).status).toBe(403);
      expect((await carol.put(`/servers/${serverId}/bans/${mallory.id}`)).status).toBe(403);
      expect((await mallory.put(`/servers/${serverId}/bans/${carol.id}`)).status).toBe(404);
      expect((await ada.put(`/servers/${serverId}/bans/${NOBODY}`)).status).toBe(404);
    });

    it('leave nobody both a member and banned, however joining and banning race', async () => {
      for (let round = 0; round < 10; round += 1) {
        const { code } = (await ada.post(`/servers/${serverId}/invites`)).body;
        await Promise.all([
          mallory.post(`/invites/${code}`),
          bob.put(`/servers/${serverId}/bans/${mallory.id}`),
          ada.post(`/servers/${serverId}/members`, { userId: mallory.id }),
        ]);
        expect((await mallory.get(`/servers/${serverId}`)).status).toBe(404);
        await ada.delete(`/servers/${serverId}/bans/${mallory.id}`);
      }
    });
  });

  describe('invites', () => {
    it('let one of fifty in who race for the last use', async () => {
      const { code } = (await bob.post(`/servers/${serverId}/invites`, { maxUses: 1 })).body;
      const guests = await Promise.all(Array.from({ length: 50 }, () => guest(app.url)));
      const answers = await Promise.all(guests.map((who) => who.post(`/invites/${code}`)));
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 404)).toHaveLength(49);
      const members = (await ada.get(`/servers/${serverId}/members`)).body.items as unknown[];
      expect(members).toHaveLength(4);
      expect((await ada.get(`/servers/${serverId}/invites`)).body.items).toMatchObject([{ code, maxUses: 1, uses: 1 }]);
    });

    it('say where they lead, let in once, and tell the room', async () => {
      const { code } = (await bob.post(`/servers/${serverId}/invites`, { maxUses: 5, expiresIn: 3600 })).body;
      expect((await mallory.get(`/invites/${code}`)).body).toMatchObject({ code, server: { id: serverId } });
      const joined = await mallory.post(`/invites/${code}`);
      expect(joined.status).toBe(201);
      expect(joined.body).toMatchObject({ id: serverId, role: 'MEMBER', channels: [{ id: room }] });
      expect((await mallory.post(`/invites/${code}`)).status).toBe(200);
      expect((await bob.get(`/servers/${serverId}/invites`)).body.items).toMatchObject([{ uses: 1 }]);
      const { items } = (await ada.get(`/conversations/${room}/messages`)).body;
      expect(items).toMatchObject([
        { role: 'system', author: null, metadata: { event: 'member.joined', userId: mallory.id } },
      ]);
      expect((await mallory.patch(`/conversations/${room}/messages/${items[0].id}`, { content: 'x' })).status).toBe(
        403,
      );
    });

    it('are worth nothing once taken back, expired, or where the server is gone', async () => {
      const invite = async () => (await ada.post(`/servers/${serverId}/invites`, { expiresIn: 1 })).body.code as string;
      const [takenBack, expired] = [await invite(), await invite()];
      const other = await serverOf(bob);
      expect((await bob.delete(`/servers/${other.id}/invites/${takenBack}`)).status).toBe(404);
      expect((await ada.delete(`/servers/${serverId}/invites/${takenBack}`)).status).toBe(204);
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      for (const code of [takenBack, expired, 'no-such-code']) {
        expect((await mallory.post(`/invites/${code}`)).status).toBe(404);
        expect((await mallory.get(`/invites/${code}`)).status).toBe(404);
      }
      const { code } = (await ada.post(`/servers/${serverId}/invites`)).body;
      await ada.delete(`/servers/${serverId}`);
      expect((await mallory.post(`/invites/${code}`)).status).toBe(404);
    });

    it('let nobody in who has waited for their turn until it was over', async () => {
      const { code } = (await ada.post(`/servers/${serverId}/invites`, { expiresIn: 1 })).body;
      const holder = new pg.Client({ connectionString: database.url });
      await holder.connect();
      await holder.query('BEGIN');
      await holder.query(`SELECT 1 FROM servers WHERE id = $1 FOR UPDATE`, [serverId]);
      const waiting = mallory.post(`/invites/${code}`);
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      await holder.end();
      expect((await waiting).status).toBe(404);
    });

    it('are made and seen by moderators alone', async () => {
      expect((await carol.post(`/servers/${serverId}/invites`)).status).toBe(403);
      expect((await carol.get(`/servers/${serverId}/invites`)).status).toBe(403);
      expect((await mallory.get(`/servers/${serverId}/invites`)).status).toBe(404);
      expect((await bob.post(`/servers/${serverId}/invites`, { maxUses: 0 })).body.errors).toMatchObject([
        { path: 'maxUses' },
      ]);
    });
  });

  describe('channels and categories', () => {
    it('make room where one is moved to, and touch no more than they must', async () => {
      const [a, b, c] = [await channel({ name: 'a' }), await channel({ name: 'b' }), await channel({ name: 'c' })];
      expect([a, b, c].map(({ position }) => position)).toEqual([1, 2, 3]);
      await ada.patch(`/channels/${c.id}`, { position: 1 });
      expect((await channelsOf(carol)).map(({ name, position }) => [name, position])).toEqual([
        ['general', 0],
        ['c', 1],
        ['a', 2],
        ['b', 3],
      ]);
      await ada.patch(`/channels/${b.id}`, { position: 10 });
      const far = await channel({ name: 'far', position: 10 });
      expect(far.position).toBe(10);
      expect((await channelsOf(carol)).map(({ position }) => position)).toEqual([0, 1, 2, 10, 11]);
    });

    it('keep one place each when ten are moved to the same one at once', async () => {
      const made = await Promise.all(Array.from({ length: 10 }, (_, i) => channel({ name: `c${i}` })));
      await Promise.all(made.map(({ id }) => ada.patch(`/channels/${id}`, { position: 0 })));
      const positions = (await channelsOf(ada)).map(({ position }) => position);
      expect(new Set(positions).size).toBe(11);
    });

    it('have names of their own, however written, also when twenty make one at once', async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          ada.post(`/servers/${serverId}/channels`, { name: i % 2 ? 'Engines' : 'ENGINES', type: 'TEXT' }),
        ),
      );
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(answers.filter(({ body }) => body.code === 'name_taken')).toHaveLength(19);
    });

    it('have no topic where it is empty', async () => {
      const made = await channel({ name: 'quiet', topic: '' });
      expect(made.topic).toBeNull();
      expect((await ada.patch(`/channels/${made.id}`, { topic: 'Steam' })).body.topic).toBe('Steam');
      expect((await ada.patch(`/channels/${made.id}`, { topic: '' })).body.topic).toBeNull();
    });

    it('are put under categories of their own server only, and outlive them', async () => {
      const category = (await ada.post(`/servers/${serverId}/categories`, { name: 'Engines' })).body;
      expect(category).toMatchObject({ serverId, name: 'Engines', position: 0 });
      expect((await ada.post(`/servers/${serverId}/categories`, { name: 'ENGINES' })).body.code).toBe('name_taken');
      const { id } = await channel({ name: 'steam', categoryId: category.id });
      const elsewhere = await serverOf(ada);
      const foreign = (await ada.post(`/servers/${elsewhere.id}/categories`, { name: 'Foreign' })).body;
      expect((await ada.patch(`/channels/${id}`, { categoryId: foreign.id })).body.errors).toMatchObject([
        { path: 'categoryId' },
      ]);
      expect((await ada.patch(`/servers/${elsewhere.id}/categories/${category.id}`, { name: 'x' })).status).toBe(404);
      expect((await bob.post(`/servers/${serverId}/categories`, { name: 'Mine' })).status).toBe(403);
      await ada.delete(`/servers/${serverId}/categories/${category.id}`);
      expect((await ada.get(`/servers/${serverId}`)).body).toMatchObject({ categories: [] });
      expect((await channelsOf(ada)).find((one) => one.id === id)).toMatchObject({ categoryId: null });
    });

    it.each(['channels', 'categories'])(
      'are listed in their order page by page, as every list is: %s',
      async (kind) => {
        const list = `/servers/${serverId}/${kind}`;
        const body = (name: string) => (kind === 'channels' ? { name, type: 'TEXT' } : { name });
        // Two that are added in one moment have one place.
        await Promise.all(['a', 'b', 'c', 'd'].map((name) => ada.post(list, body(name))));
        const all = (await ada.get(list)).body;
        expect(all).toMatchObject({ nextCursor: null });
        const pages: { id: string }[][] = [];
        let cursor = '';
        do {
          const { body } = await ada.get(`${list}?limit=2${cursor}`);
          pages.push(body.items);
          cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
        } while (cursor !== '');
        expect(Math.max(...pages.map(({ length }) => length))).toBe(2);
        expect(pages.flat()).toEqual(all.items);
      },
    );

    it('take their texts with them, while sends into them are refused by name and none fails the others', async () => {
      const doomed = await channel({ name: 'doomed' });
      const says = Array.from({ length: 60 }, (_, i) =>
        carol.post(`/conversations/${i % 2 ? doomed.id : room}/messages`, { content: `say ${i}` }),
      );
      const [gone, ...answers] = await Promise.all([ada.delete(`/channels/${doomed.id}`), ...says]);
      expect(gone.status).toBe(204);
      expect(answers.filter((_, i) => i % 2 === 0).map(({ status }) => status)).toEqual(Array(30).fill(201));
      for (const { status } of answers.filter((_, i) => i % 2)) expect([201, 404]).toContain(status);
      expect((await carol.get(`/conversations/${doomed.id}`)).status).toBe(404);
    });
  });

  it('is the same to who only listened as to who loads it now', async () => {
    const ears = await carol.socket();
    const before = (await carol.get(`/servers/${serverId}`)).body;
    const category = (await ada.post(`/servers/${serverId}/categories`, { name: 'First' })).body;
    const steam = await channel({ name: 'steam', categoryId: category.id, topic: 'hot' });
    const talk = await channel({ name: 'talk', type: 'VOICE', position: 0 });
    await ada.patch(`/channels/${steam.id}`, { name: 'water', topic: null });
    await ada.post(`/servers/${serverId}/categories`, { name: 'Second', position: 0 });
    await ada.patch(`/servers/${serverId}`, { name: 'Renamed', iconUrl: 'https://pictures.example/i.png' });
    await ada.delete(`/channels/${talk.id}`);
    await ada.delete(`/servers/${serverId}/categories/${category.id}`);
    await ears.settle();
    expect(replayed(before, ears)).toEqual((await carol.get(`/servers/${serverId}`)).body);
    ears.close();
  });

  it('writes down for its ADMIN who did what, without a word of what was said', async () => {
    const { id } = await carol.say(room, 'something unkind');
    await bob.delete(`/conversations/${room}/messages/${id}`);
    await ada.patch(`/servers/${serverId}/members/${carol.id}`, { role: 'MODERATOR' });
    await ada.patch(`/servers/${serverId}`, { name: 'Quiet' });
    await ada.delete(`/servers/${serverId}/members/${carol.id}`);
    const log = (await ada.get(`/servers/${serverId}/audit?limit=100`)).body.items as Entry[];
    expect(log.map(({ action, actor }) => [action, actor.id])).toEqual([
      ['member.removed', ada.id],
      ['server.updated', ada.id],
      ['member.role_changed', ada.id],
      ['message.deleted', bob.id],
      ['member.added', ada.id],
      ['member.added', ada.id],
    ]);
    expect(log[2]).toMatchObject({ targetId: carol.id, details: { before: 'MEMBER', role: 'MODERATOR' } });
    expect(JSON.stringify(log)).not.toContain('unkind');
    const first = (await ada.get(`/servers/${serverId}/audit?limit=4`)).body;
    const rest = (await ada.get(`/servers/${serverId}/audit?limit=4&cursor=${first.nextCursor}`)).body;
    expect([...first.items, ...rest.items]).toEqual(log);
    expect((await bob.get(`/servers/${serverId}/audit`)).status).toBe(403);
    expect((await mallory.get(`/servers/${serverId}/audit`)).status).toBe(404);
  });
});

interface Channel {
  id: string;
  name: string;
  position: number;
}

interface Entry {
  action: string;
  actor: { id: string };
  targetId: string;
  details: object;
}

/** What a client makes of a server that it loaded once and then only heard of. */
function replayed(server: any, ears: Socket): unknown {
  const state = structuredClone(server);
  const put = (list: any[], item: any) => [...list.filter(({ id }) => id !== item.id), item];
  for (const event of ears.heard) {
    if (event.type === 'server.updated') Object.assign(state, event.server);
    if (event.type === 'channel.updated') state.channels = put(state.channels, event.channel);
    if (event.type === 'category.updated') state.categories = put(state.categories, event.category);
    if (event.type === 'conversation.deleted') {
      state.channels = state.channels.filter(({ id }: Channel) => id !== event.conversationId);
    }
    if (event.type === 'category.deleted') {
      state.categories = state.categories.filter(({ id }: Channel) => id !== event.categoryId);
      for (const one of state.channels) if (one.categoryId === event.categoryId) one.categoryId = null;
    }
  }
  const inOrder = (a: Channel, b: Channel) => a.position - b.position;
  state.channels.sort(inOrder);
  state.categories.sort(inOrder);
  return state;
}

async function guest(url: string): Promise<Person> {
  const nobody = new Person(url, 'guest', '', '', '');
  const { body } = await nobody.post('/auth/guest', {});
  nobody.token = body.accessToken;
  return nobody;
}
