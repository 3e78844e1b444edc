import { setImmediate, setTimeout as pause } from 'node:timers/promises';
import { AccessService } from '../../src/access/access.service.js';
import { StandingCache } from '../../src/access/standing-cache.js';
import type { Actor } from '../../src/auth/actor.js';
import { LoginEnded } from '../../src/auth/auth.events.js';
import { NoticeReader } from '../../src/auth/logins/notice-reader.js';
import { ConversationsService } from '../../src/conversations/conversations.service.js';
import { READABLE } from '../../src/conversations/mine.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { ThreadsService } from '../../src/messages/threads/threads.service.js';
import { Database } from '../../src/platform/database/database.js';
import { EventBus } from '../../src/platform/events/event-bus.js';
import { UUID } from '../../src/platform/http/id.pipe.js';
import { ChannelsService } from '../../src/servers/channels/channels.service.js';
import { MembershipsService } from '../../src/servers/memberships/memberships.service.js';
import { ServersService } from '../../src/servers/servers/servers.service.js';
import { PeerService } from '../../src/sessions/peer/peer.service.js';
import { SessionsService } from '../../src/sessions/sessions.service.js';
import { actor, type Services, servicesOnOwnDatabase, startServices, twoNodes } from '../support/services.js';

const ECHO = '01990000-0000-7000-8000-000000000001';

describe('standing under races', () => {
  let nodes: [Services, Services];
  let close: () => Promise<void>;
  let ada: Actor;
  let bob: Actor;
  let eve: Actor;

  beforeAll(async () => {
    ({ nodes, close } = await twoNodes());
    ada = await actor(nodes[0].dataSource, 'ada');
    bob = await actor(nodes[0].dataSource, 'bob');
    eve = await actor(nodes[0].dataSource, 'eve');
  }, 60_000);
  afterAll(() => close());

  it('keeps an ADMIN when the last two act at once, fifty times', async () => {
    const [here, there] = nodes.map((node) => node.app.get(MembershipsService)) as [
      MembershipsService,
      MembershipsService,
    ];
    for (let round = 0; round < 50; round += 1) {
      const { id } = await nodes[0].app.get(ServersService).create(ada, 'S', undefined);
      await here.add(ada, id, bob.userId, 'ADMIN');
      const acts = [
        () => here.remove(ada, id, ada.userId),
        () => there.remove(bob, id, bob.userId),
        () => here.changeRole(ada, id, bob.userId, 'MEMBER'),
        () => there.changeRole(bob, id, ada.userId, 'MODERATOR'),
      ];
      const pair = [acts[round % 4], acts[(round + 1 + (round % 3)) % 4]];
      const results = await Promise.allSettled(pair.map((act) => (act as () => Promise<unknown>)()));
      const [{ count }] = await nodes[0].dataSource.query(
        `SELECT count(*) FROM memberships WHERE server_id = $1 AND role = 'ADMIN'`,
        [id],
      );
      expect(count).toBeGreaterThanOrEqual(1);
      for (const result of results) {
        if (result.status === 'rejected')
          expect([403, 404, 409]).toContain((result.reason as { status: number }).status);
      }
    }
  }, 60_000);

  it('is held by the schema also where the code would forget it', async () => {
    const { id } = await nodes[0].app.get(ServersService).create(ada, 'S', undefined);
    await expect(nodes[0].dataSource.query(`DELETE FROM memberships WHERE server_id = $1`, [id])).rejects.toThrow(
      'ADMIN',
    );
  });

  it('makes one standing session of twenty calls on two nodes', async () => {
    const calls = Array.from({ length: 20 }, (_, i) =>
      (nodes[i % 2] as Services).app.get(SessionsService).standing(ada, ECHO),
    );
    const ids = (await Promise.all(calls)).map((result) => result.session.id);
    expect(new Set(ids).size).toBe(1);
  });

  it('makes one session of an externalId, however the calls race', async () => {
    const body = { type: 'agent' as const, agentId: ECHO, externalId: 'mine' };
    const calls = Array.from({ length: 20 }, (_, i) =>
      (nodes[i % 2] as Services).app.get(SessionsService).create(bob, body),
    );
    const results = await Promise.all(calls);
    expect(new Set(results.map((result) => result.session.id)).size).toBe(1);
    expect(results.filter((result) => result.created)).toHaveLength(1);
  });

  it('makes a member once of twenty who add the same person', async () => {
    const { id } = await nodes[0].app.get(ServersService).create(ada, 'S', undefined);
    const calls = Array.from({ length: 20 }, (_, i) =>
      (nodes[i % 2] as Services).app.get(MembershipsService).add(ada, id, bob.userId, 'MEMBER'),
    );
    const results = await Promise.allSettled(calls);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  /** How long the second node, which hears no news, still lets somebody do this. */
  const lastsOver = async (act: () => Promise<unknown>) => {
    const ended = performance.now();
    for (;;) {
      await setImmediate();
      const isOver = await act().then(
        () => false,
        () => true,
      );
      if (isOver) return performance.now() - ended;
    }
  };

  /** Again and again, at least once. */
  const goOn = async (act: () => Promise<unknown>, ms = 1_500) => {
    const began = performance.now();
    do {
      await act();
      await pause(50);
    } while (performance.now() < began + ms);
  };
  const roomWithBob = async (role: 'MEMBER' | 'MODERATOR') => {
    const { id, channels } = await nodes[0].app.get(ServersService).create(ada, 'S', undefined);
    await nodes[0].app.get(MembershipsService).add(ada, id, bob.userId, role);
    return { id, room: channels[0]?.id as string };
  };

  it.each([
    ['a moment ago', 0],
    ['long ago, and many times since', 1_500],
  ])('ends on this node at once and on another within a second, where it was looked up %s', async (_, ms) => {
    const { id, room } = await roomWithBob('MODERATOR');
    const [here, there] = nodes.map((node) => node.app.get(AccessService)) as [AccessService, AccessService];
    const bobEnters = () => Promise.all([here, there].map((door) => door.enter(bob, room, 'moderate')));
    await goOn(bobEnters, ms);
    await nodes[0].app.get(MembershipsService).changeRole(ada, id, bob.userId, 'MEMBER');
    await expect(here.enter(bob, room, 'moderate')).rejects.toMatchObject({ status: 403 });
    expect(await lastsOver(() => there.enter(bob, room, 'moderate'))).toBeLessThan(1_000);
    await nodes[0].app.get(MembershipsService).remove(ada, id, bob.userId);
    await expect(here.enter(bob, room, 'read')).rejects.toMatchObject({ status: 404 });
    expect(await lastsOver(() => there.enter(bob, room, 'read'))).toBeLessThan(1_000);
  });

  it('of an advocate ends on another node within a second, though it was looked up long ago', async () => {
    const eveHelps = { ...eve, isAdvocate: true };
    await nodes[0].dataSource.query(`UPDATE users SET is_advocate = true WHERE id = $1`, [eve.userId]);
    const { session } = await nodes[0].app.get(SessionsService).create(bob, { type: 'peer' });
    await nodes[0].app.get(PeerService).claim(eveHelps, session.id);
    const there = nodes[1].app.get(AccessService);
    const eveEnters = () => there.enter(eveHelps, session.id, 'write');
    await goOn(eveEnters);
    const pass = await nodes[0].app.get(AccessService).enter(eveHelps, session.id, 'help');
    await nodes[0].app.get(PeerService).release(pass);
    expect(await lastsOver(eveEnters)).toBeLessThan(1_000);
  });

  it('of an advocate ends at once also where they spell the id in capitals', async () => {
    const { session } = await nodes[0].app.get(SessionsService).create(ada, { type: 'peer' });
    const helper = await actor(nodes[0].dataSource, 'helper');
    await nodes[0].dataSource.query(`UPDATE users SET is_advocate = true WHERE id = $1`, [helper.userId]);
    await nodes[0].app.get(PeerService).claim(helper, session.id);
    const door = nodes[0].app.get(AccessService);
    const pass = await door.enter(helper, session.id.toUpperCase(), 'write');
    expect(pass.room.id).toBe(session.id);
    await nodes[0].app.get(PeerService).release(pass);
    await expect(door.enter(helper, session.id.toUpperCase(), 'read')).rejects.toMatchObject({ status: 404 });
  });

  it('ends within a second also where it was ended long before that is committed', async () => {
    const { id, room } = await roomWithBob('MEMBER');
    const bobEnters = () => nodes[1].app.get(AccessService).enter(bob, room, 'read');
    const slow = nodes[0].dataSource.createQueryRunner();
    await slow.startTransaction();
    await slow.query(`DELETE FROM memberships WHERE server_id = $1 AND user_id = $2`, [id, bob.userId]);
    await slow.query(`UPDATE account_notices SET noted_at = now() - interval '1 minute' WHERE server_id = $1`, [id]);
    await goOn(bobEnters);
    await slow.commitTransaction();
    await slow.release();
    expect(await lastsOver(bobEnters)).toBeLessThan(1_000);
  });

  it('ends within a second also where a database takes over that counts its transactions from earlier on', async () => {
    const { id, room } = await roomWithBob('MEMBER');
    const bobEnters = () => nodes[1].app.get(AccessService).enter(bob, room, 'read');
    await bobEnters();
    Object.assign(nodes[1].app.get(NoticeReader), { since: 2 ** 40 });
    await nodes[0].dataSource.query(`DELETE FROM memberships WHERE server_id = $1 AND user_id = $2`, [id, bob.userId]);
    expect(await lastsOver(bobEnters)).toBeLessThan(1_000);
  });

  it('is looked up once for all that somebody does in a minute', async () => {
    const { channels } = await nodes[0].app.get(ServersService).create(ada, 'S', undefined);
    const room = channels[0]?.id as string;
    const database = nodes[0].app.get(Database);
    const looks = () => reads.filter((sql) => sql.includes('FROM conversations c')).length;
    const reads: string[] = [];
    const prepared = database.prepared.bind(database);
    database.prepared = (sql, values) => (reads.push(sql), prepared(sql, values));
    await goOn(() => nodes[0].app.get(AccessService).enter(ada, room, 'write'), 2_500);
    database.prepared = prepared;
    expect(looks()).toBe(1);
  });

  it('lists as readable exactly the rooms that the door opens, and as mine those but for threads of others', async () => {
    const everyone = [ada, bob, eve];
    const { id, channels } = await nodes[0].app.get(ServersService).create(ada, 'S', undefined);
    await nodes[0].app.get(MembershipsService).add(ada, id, bob.userId, 'MEMBER');
    const { session } = await nodes[0].app.get(SessionsService).create(bob, { type: 'peer' });
    const threads = [
      await threadIn(ada, channels[0]?.id as string),
      await threadIn(bob, channels[0]?.id as string),
      await threadIn(bob, session.id),
    ] as const;
    const everyRoom = await nodes[0].dataSource.query<{ id: string }[]>(`SELECT id FROM conversations`);
    // All at once: whoever asks together is read for in one statement, and each must get their own.
    const door = nodes[1].app.get(AccessService);
    const seen = everyone.map(async (who) => {
      const mine = nodes[1].app.get(ConversationsService).statesOf(who.userId);
      const doors = everyRoom.map(({ id }) => door.enter(who, id, 'read').then(({ room }) => room.id, String));
      return {
        who,
        mine: (await mine).map(({ id }) => id).sort(),
        opened: (await Promise.all(doors)).filter((each) => UUID.test(each)),
      };
    });
    for (const { who, mine, opened } of await Promise.all(seen)) {
      const readable = await nodes[0].dataSource.query<{ id: string }[]>(`WITH ${READABLE} SELECT id FROM readable`, [
        who.userId,
      ]);
      expect(opened.sort()).toEqual(readable.map(({ id }) => id).sort());
      const others = who === ada ? [threads[1]] : who === bob ? [threads[0]] : [];
      expect(mine).toEqual(opened.filter((id) => !others.includes(id)));
      expect(opened.length > 0).toBe(who !== eve);
    }
  });

  it('lists all rooms also of somebody who has more than are read for many at once', async () => {
    const [busy, idle] = [await actor(nodes[0].dataSource, 'busy'), await actor(nodes[0].dataSource, 'idle')];
    await nodes[0].dataSource.query(
      `WITH made AS (INSERT INTO conversations (id, kind) SELECT gen_random_uuid(), 'session' FROM generate_series(1, 1200) RETURNING id)
       INSERT INTO sessions (id, owner_id, type) SELECT id, $1, 'peer' FROM made`,
      [busy.userId],
    );
    await nodes[0].app.get(SessionsService).create(idle, { type: 'peer' });
    const service = nodes[0].app.get(ConversationsService);
    const [many, few] = await Promise.all([busy, idle].map(({ userId }) => service.statesOf(userId)));
    expect(new Set(many?.map(({ id }) => id)).size).toBe(1200);
    expect(few).toHaveLength(1);
  });

  const threadIn = async (who: Actor, room: string) => {
    const writer = await nodes[0].app.get(AccessService).enter(who, room, 'write');
    const { message } = await nodes[0].app.get(MessagesService).append(writer, { content: 'a topic' });
    return (await nodes[0].app.get(ThreadsService).open(writer, message.id)).id;
  };

  it('ends in a thread with that in its parent', async () => {
    const { id, channels } = await nodes[0].app.get(ServersService).create(ada, 'S', undefined);
    await nodes[0].app.get(MembershipsService).add(ada, id, bob.userId, 'MEMBER');
    const thread = await threadIn(bob, channels[0]?.id as string);
    const door = nodes[0].app.get(AccessService);
    await door.enter(bob, thread, 'write');
    await nodes[0].app.get(MembershipsService).remove(ada, id, bob.userId);
    await expect(door.enter(bob, thread, 'read')).rejects.toMatchObject({ status: 404 });
    await door.enter(ada, thread, 'moderate');
    await nodes[0].app.get(ChannelsService).delete(await door.enter(ada, channels[0]?.id as string, 'own'));
    await expect(door.enter(ada, thread, 'read')).rejects.toMatchObject({ status: 404 });
  });

  it('that is lost while it is being read is not remembered as it was', async () => {
    const cache = new StandingCache();
    const room = { id: 'r', kind: 'channel' as const, serverId: 's', ownerId: null, advocateId: null, agentId: null };
    let finish = (): void => undefined;
    const slow = cache.facts(
      'ada',
      'r',
      () => new Promise((resolve) => (finish = () => resolve({ room, role: 'ADMIN' }))),
    );
    cache.changed('server:s');
    finish();
    await slow;
    const fresh = await cache.facts('ada', 'r', () => Promise.resolve({ room, role: null }));
    expect(fresh?.role).toBeNull();
  });
});

describe('a node that has just started', () => {
  it('is told of a login that ends at once, on another node', async () => {
    const first = await servicesOnOwnDatabase();
    const { loginId } = await actor(first.dataSource, 'ada');
    const second = await startServices(first.database.url);
    try {
      const told = new Promise<string[]>((resolve) =>
        second.app.get(EventBus).on(LoginEnded, ({ loginIds }) => resolve(loginIds)),
      );
      await first.dataSource.query(`UPDATE logins SET ended_at = now() WHERE id = $1`, [loginId]);
      expect(await told).toEqual([loginId]);
    } finally {
      await second.close();
      await first.close();
    }
  });
});
