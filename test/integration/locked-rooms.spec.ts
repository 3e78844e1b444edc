import { setTimeout as sleep } from 'node:timers/promises';
import { AccessService } from '../../src/access/access.service.js';
import type { Actor } from '../../src/auth/actor.js';
import { ConversationCleared } from '../../src/conversations/conversations.events.js';
import { ConversationsService } from '../../src/conversations/conversations.service.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { ReactionsService } from '../../src/messages/reactions/reactions.service.js';
import { ThreadsService } from '../../src/messages/threads/threads.service.js';
import { WriteQueue } from '../../src/messages/write-queue.js';
import { EventBus } from '../../src/platform/events/event-bus.js';
import type { DomainEvent } from '../../src/platform/events/event.js';
import { MembershipsService } from '../../src/servers/memberships/memberships.service.js';
import { ServersService } from '../../src/servers/servers/servers.service.js';
import { PeerService } from '../../src/sessions/peer/peer.service.js';
import { SessionsService } from '../../src/sessions/sessions.service.js';
import { actor, type Services, servicesOnOwnDatabase } from '../support/services.js';

describe('while somebody else has locked a room', () => {
  let services: Services;
  let ada: Actor;
  let bob: Actor;
  let cleo: Actor;
  let dora: Actor;

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
    const named = (name: string) => actor(services.dataSource, name);
    [ada, bob, cleo, dora] = (await Promise.all(['ada', 'bob', 'cleo', 'dora'].map(named))) as [
      Actor,
      Actor,
      Actor,
      Actor,
    ];
    await services.dataSource.query(`UPDATE users SET is_advocate = true WHERE id = ANY($1)`, [
      [cleo.userId, dora.userId],
    ]);
  }, 60_000);
  afterAll(() => services.close());

  const the = <T>(type: new (...args: any[]) => T): T => services.app.get(type);
  const enter = <A extends 'write' | 'moderate' | 'clear' | 'help'>(who: Actor, room: string, action: A) =>
    the(AccessService).enter(who, room, action);
  const say = async (who: Actor, room: string, content: string) =>
    (await the(MessagesService).append(await enter(who, room, 'write'), { content })).message;
  const newChannel = async () => (await the(ServersService).create(ada, 'S', undefined)).channels[0]?.id as string;
  const untilOneWaits = async () => {
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    while ((await services.dataSource.query(waiting)).length === 0) await sleep(5);
  };
  const holding = async <T>(rooms: string[], work: () => Promise<T>): Promise<T> => {
    const runner = services.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query(`SELECT 1 FROM conversations WHERE id = ANY($1) FOR UPDATE`, [rooms]);
    try {
      return await work();
    } finally {
      await runner.rollbackTransaction();
      await runner.release();
    }
  };
  /** Begins `first`, and when that waits for the room does `then`. */
  const whileLocked = async (room: string, first: () => Promise<unknown>, then: () => Promise<unknown>) => {
    const ending = await holding([room], async () => {
      const going = Promise.allSettled([first()]);
      await untilOneWaits();
      await then();
      return { going };
    });
    const [end] = await ending.going;
    return end.status === 'rejected' ? (end.reason as { status: number }) : undefined;
  };
  const serverWithBob = async (role: 'MEMBER' | 'MODERATOR') => {
    const { id, channels } = await the(ServersService).create(ada, 'S', undefined);
    await the(MembershipsService).add(ada, id, bob.userId, role);
    return { id, room: channels[0]?.id as string };
  };
  const peerSession = async () => {
    const { session } = await the(SessionsService).create(ada, { type: 'peer' });
    await the(PeerService).claim(cleo, session.id);
    return session.id;
  };

  it('no edit, reaction or thread is made of somebody who was removed meanwhile', async () => {
    const { id, room } = await serverWithBob('MEMBER');
    const { id: messageId } = await say(bob, room, 'mine');
    const pass = await enter(bob, room, 'write');
    const refused = await whileLocked(
      room,
      () => the(MessagesService).edit(pass, messageId, 'after my removal'),
      () => the(MembershipsService).remove(ada, id, bob.userId),
    );
    expect(refused).toMatchObject({ status: 404 });
    await expect(the(ReactionsService).add(pass, messageId, '👍')).rejects.toMatchObject({ status: 404 });
    await expect(the(ThreadsService).open(pass, messageId)).rejects.toMatchObject({ status: 404 });
  });

  it('nothing is stored of somebody who was removed while it waited, in the channel or in a thread', async () => {
    const { id, room } = await serverWithBob('MEMBER');
    const { id: messageId } = await say(ada, room, 'of ada');
    const thread = await the(ThreadsService).open(await enter(ada, room, 'write'), messageId);
    await say(bob, thread.id, 'mine');
    const [pass, inThread] = [await enter(bob, room, 'write'), await enter(bob, thread.id, 'write')];
    const send = (writer: typeof pass) => the(MessagesService).append(writer, { content: 'after my removal' });
    const refused = await whileLocked(
      room,
      () => send(pass),
      async () => {
        await the(MembershipsService).remove(ada, id, bob.userId);
        await sleep(300);
      },
    );
    expect(refused).toMatchObject({ status: 404 });
    const inThreadRefused = await whileLocked(
      thread.id,
      () => send(inThread),
      () => sleep(300),
    );
    expect(inThreadRefused).toMatchObject({ status: 404 });
    expect((await say(ada, room, 'goes on')).seq).toBe(2);
  });

  it('nothing is stored of somebody who was removed while it waited for its batch, and what waited with it is', async () => {
    const { id, room } = await serverWithBob('MEMBER');
    const other = await newChannel();
    const [pass, mine] = [await enter(bob, room, 'write'), await enter(ada, other, 'write')];
    // What changes the room keeps the sends into it on this node waiting.
    const job = the(WriteQueue).exclusive(room, async () => {
      await the(MembershipsService).remove(ada, id, bob.userId);
      await sleep(300);
    });
    const [late, fine] = await Promise.allSettled([
      the(MessagesService).append(pass, { content: 'after my removal' }),
      the(MessagesService).append(mine, { content: 'fine' }),
    ]);
    await job;
    expect(late).toMatchObject({ status: 'rejected', reason: { status: 404 } });
    expect(fine).toMatchObject({ status: 'fulfilled' });
  });

  it('nothing is deleted by a moderator who was demoted meanwhile', async () => {
    const { id, room } = await serverWithBob('MODERATOR');
    const { id: messageId } = await say(ada, room, 'of ada');
    const pass = await enter(bob, room, 'moderate');
    const refused = await whileLocked(
      room,
      () => the(MessagesService).delete(pass, messageId),
      () => the(MembershipsService).changeRole(ada, id, bob.userId, 'MEMBER'),
    );
    expect(refused).toMatchObject({ status: 403 });
  });

  it('a send into it is refused alone, and those it was sent with are stored', async () => {
    const [locked, free] = [await newChannel(), await newChannel()];
    const [there, here] = [await enter(ada, locked, 'write'), await enter(ada, free, 'write')];
    const [stuck, fine] = await holding([locked], () =>
      Promise.allSettled([
        the(MessagesService).append(there, { content: 'stuck' }),
        the(MessagesService).append(here, { content: 'fine' }),
      ]),
    );
    expect(stuck).toMatchObject({ status: 'rejected', reason: { code: '55P03' } });
    expect(fine).toMatchObject({ status: 'fulfilled', value: { message: { seq: 1 } } });
    expect((await say(ada, locked, 'again')).seq).toBe(1);
  }, 30_000);

  it('edits in several such rooms keep the sends into all others waiting no longer', async () => {
    const rooms = [await newChannel(), await newChannel()];
    const messages = await Promise.all(rooms.map(async (room) => ({ room, id: (await say(ada, room, 'one')).id })));
    const here = await newChannel();
    const editing = await holding(rooms, async () => {
      const going = messages.map(async ({ room, id }) =>
        the(MessagesService).edit(await enter(ada, room, 'write'), id, 'two'),
      );
      await untilOneWaits();
      expect((await say(ada, here, 'fine')).seq).toBe(1);
      return { going };
    });
    expect((await Promise.all(editing.going)).map(({ content }) => content)).toEqual(['two', 'two']);
  });

  it('an advocate who has left is not mentioned by who was let in before', async () => {
    const id = await peerSession();
    const pass = await enter(ada, id, 'write');
    await the(PeerService).release(await enter(cleo, id, 'help'));
    const { message } = await the(MessagesService).append(pass, { content: `thank you @${cleo.profile.username}` });
    expect(message.mentions).toEqual([]);
  });

  it('a clearing is told to the advocate who has come in since', async () => {
    const id = await peerSession();
    await say(ada, id, 'hello');
    const pass = await enter(ada, id, 'clear');
    await the(PeerService).transfer(await enter(cleo, id, 'help'), dora.userId);
    const events: DomainEvent[] = [];
    the(EventBus).onAny((event) => void events.push(event));
    await the(MessagesService).clear(pass);
    const cleared = events.find(({ type }) => type === ConversationCleared.type);
    expect(cleared?.audience).toEqual([`user:${ada.userId}`, `user:${dora.userId}`]);
  });

  it('a session is deleted though somebody writes into a thread on it', async () => {
    const id = await peerSession();
    const { id: messageId } = await say(ada, id, 'hello');
    const thread = await the(ThreadsService).open(await enter(ada, id, 'write'), messageId);
    const pass = await the(AccessService).enter(ada, id, 'own');
    // As a send into the thread does on another node.
    const runner = services.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query(`SELECT 1 FROM conversations WHERE id = $1 FOR NO KEY UPDATE`, [thread.id]);
    const deletion = the(SessionsService)
      .delete(pass)
      .then(
        () => 'deleted',
        (error: unknown) => (error as Error).message,
      );
    await untilOneWaits();
    await runner.query(`UPDATE conversations SET last_message_at = now() WHERE id = $1`, [thread.id]).catch(() => 0);
    await runner.rollbackTransaction();
    await runner.release();
    expect(await deletion).toBe('deleted');
  });

  it('a session is closed though somebody writes into several threads on it at once', async () => {
    const id = await peerSession();
    const threads: string[] = [];
    const messages = [];
    for (let i = 0; i < 6; i += 1) messages.push(await say(ada, id, 'hello'));
    // Whichever way they are found but by their ids, the newest comes first.
    for (const message of messages.reverse()) {
      threads.push((await the(ThreadsService).open(await enter(ada, id, 'write'), message.id)).id);
    }
    for (const thread of [...threads].reverse()) await say(ada, thread, 'hello');
    const [first, ...others] = threads;
    // As a batch with a send into each does on another node.
    const runner = services.dataSource.createQueryRunner();
    await runner.startTransaction();
    const lock = (ids: (string | undefined)[]) =>
      runner.query(`SELECT 1 FROM conversations WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE`, [ids]);
    await lock([first]);
    const pass = await the(AccessService).enter(ada, id, 'close');
    const closing = the(SessionsService)
      .change(pass, { status: 'closed' })
      .then(
        ({ status }) => status,
        (error: unknown) => (error as Error).message,
      );
    await untilOneWaits();
    const locking = await lock(others).then(
      () => 'locked',
      (error: unknown) => (error as Error).message,
    );
    await runner.rollbackTransaction();
    await runner.release();
    expect([locking, await closing]).toEqual(['locked', 'closed']);
  });

  it.each([
    ['the room', 404, `DELETE FROM conversations WHERE id = $1 OR id = $2`],
    ['their account', 401, `DELETE FROM users WHERE id = $1 OR id = $2`],
  ])('who reads on in it is told that %s is gone where it is by then (%d)', async (_what, status, deleting) => {
    const { id, room } = await serverWithBob('MEMBER');
    const eve = await actor(services.dataSource, 'eve');
    await the(MembershipsService).add(ada, id, eve.userId, 'MEMBER');
    const reader = await the(AccessService).enter(eve, room, 'read');
    const deletion = services.dataSource.createQueryRunner();
    await deletion.startTransaction();
    await deletion.query(deleting, [room, eve.userId]);
    const reading = Promise.allSettled([the(ConversationsService).markRead(reader, 1)]);
    await untilOneWaits();
    await deletion.commitTransaction();
    await deletion.release();
    expect(await reading).toMatchObject([{ status: 'rejected', reason: { status } }]);
    await expect(the(ConversationsService).markRead(reader, 1)).rejects.toMatchObject({ status });
  });
});
