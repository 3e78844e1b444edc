import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { AccessService } from '../../src/access/access.service.js';
import { Actors } from '../../src/auth/actors.js';
import { AccountChanged, LoginEnded, ServerLost } from '../../src/auth/auth.events.js';
import { TokensService } from '../../src/auth/tokens.service.js';
import { ConversationsService } from '../../src/conversations/conversations.service.js';
import { AppendStore } from '../../src/messages/append-store.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { type Database } from '../../src/platform/database/database.js';
import { EventBus } from '../../src/platform/events/event-bus.js';
import { Attendance } from '../../src/realtime/attendance.js';
import { Mending } from '../../src/realtime/mending.js';
import { between, carryOver } from '../support/apart.js';
import { actor } from '../support/services.js';
import { jest } from '@jest/globals';
import { about, heard, TwoNodesApart } from '../support/two-nodes-apart.js';

describe('who has left', () => {
  const two = TwoNodesApart.forThese();
  const { socketOf, enter, say, add, remove, session, peers, advocate, readAll, wait } = two;

  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** An advocate, connected, who helps in a session on which there is a thread. */
  const advocateOfThread = async () => {
    const adv = await advocate();
    const id = await session();
    await peers().claim(adv, id);
    return { adv, id, thread: await two.thread({ id }), socket: await socketOf(adv) };
  };

  it('hears nothing by what is read from the database after that', async () => {
    const adv = await advocate();
    const id = await session();
    await peers().claim(adv, id);
    await socketOf(two.ada);
    const socket = await socketOf(adv);
    await say('before', { id });
    const door = two.here.app.get(AccessService);
    const roomOf = door.roomOf.bind(door);
    let isLeft = false;
    jest.spyOn(door, 'roomOf').mockImplementation(async (asked) => {
      const found = await roomOf(asked);
      if (asked !== id || isLeft) return found;
      isLeft = true;
      await peers(two.here).release(await enter(adv, id, two.here));
      await say('secret', { id });
      return found;
    });
    readAll();
    await wait();
    expect(about(socket, id)[0]).toBe('conversation.deleted');
    expect(about(socket, id).join()).not.toContain('secret');
  });

  it('is not told that a session is theirs, which was found before that', async () => {
    const adv = await advocate();
    const id = await session();
    await socketOf(two.ada);
    const socket = await socketOf(adv);
    two.news = [];
    await peers().claim(adv, id);
    const claimed = two.news.splice(0);
    await say('go on', { id });
    carryOver(two.here, two.news.splice(0));
    between(two.here.app.get(ConversationsService), 'stateOf', async () => {
      two.news = [];
      await peers().release(await enter(adv, id));
      carryOver(two.here, two.news.splice(0));
    });
    carryOver(two.here, claimed);
    await wait();
    expect(
      about(socket, id)
        .filter((text) => text.startsWith('conversation.'))
        .at(-1),
    ).not.toBe('conversation.created');
  });

  it('is not told of the rooms of a server that were found before that', async () => {
    await socketOf(two.ada);
    const socket = await socketOf(two.bob);
    await add(two.bob, two.there);
    between(two.here.app.get(ConversationsService), 'statesOf', async () => {
      await remove(two.bob, two.here);
    });
    // only two.bob is looked at
    two.here.app.get(Attendance).confirm(two.bob.userId);
    await wait();
    const all = socket.heard.map(({ type }) => type);
    expect(all.slice(all.lastIndexOf('member.removed'))).not.toContain('conversation.created');
  });

  it('is not said to have left what they have just got', async () => {
    const [adv, old] = [await advocate(), await advocate()];
    const id = await session();
    await peers().claim(old, id);
    await socketOf(two.ada);
    await socketOf(old);
    const socket = await socketOf(adv);
    const mending = two.here.app.get<{ database: { prepared: (...args: unknown[]) => Promise<unknown> } }>(Mending);
    const prepared = mending.database.prepared.bind(mending.database);
    jest.spyOn(mending.database, 'prepared').mockImplementation(async (...args: unknown[]) => {
      const answer = await prepared(...args);
      if (String(args[0]).includes('array_remove')) {
        jest.restoreAllMocks();
        await peers(two.here).transfer(await enter(old, id, two.here), adv.userId);
      }
      return answer;
    });
    readAll();
    const told = ['conversation.created'];
    expect(await heard(socket, id, told)).toEqual(told);
  });

  it('is told once that they lost a server, though another look finds it as well', async () => {
    await add(two.bob);
    const socket = await socketOf(two.bob);
    two.news = [];
    await remove(two.bob, two.there);
    between(two.here.app.get(ConversationsService), 'serversOf', async () => carryOver(two.here, two.news.splice(0)));
    readAll();
    await wait();
    expect(socket.of('member.removed')).toHaveLength(1);
  });

  it('is told once that they lost a server, though it is still looked at whether they belong to it', async () => {
    const socket = await socketOf(two.bob);
    two.news = [];
    await add(two.bob, two.there);
    const added = two.news.splice(0);
    await remove(two.bob, two.there);
    between(two.here.app.get(ConversationsService), 'serversOf', async () => carryOver(two.here, two.news.splice(0)));
    carryOver(two.here, added);
    await wait();
    expect(socket.of('member.removed')).toHaveLength(1);
  });

  it('is told once that they lost a server, though the news comes after its notice', async () => {
    await add(two.bob);
    const socket = await socketOf(two.bob);
    two.news = [];
    await remove(two.bob, two.there);
    await socket.next('member.removed');
    carryOver(two.here, two.news.splice(0));
    await socket.settle();
    expect(socket.of('member.removed')).toHaveLength(1);
  });

  it('goes on hearing a server when they came back at once', async () => {
    await add(two.bob);
    await socketOf(two.ada);
    const socket = await socketOf(two.bob);
    await sleep(500);
    between(two.here.app.get(ConversationsService), 'serversOf', () => add(two.bob, two.here).then(() => undefined));
    await remove(two.bob, two.there);
    two.here.app.get(EventBus).hear(ServerLost([], { userId: two.bob.userId, serverId: two.serverId }));
    await sleep(1_000);
    await say('with bob', { node: two.here });
    await wait();
    expect(about(socket, two.room)).toContain('message.created with bob 1');
  });

  it('hears nothing that comes late from another node', async () => {
    const adv = await advocate();
    const id = await session();
    await peers().claim(adv, id);
    await socketOf(two.ada);
    const socket = await socketOf(adv);
    two.news = [];
    await say('late', { id });
    const late = two.news.splice(0);
    await peers(two.here).release(await enter(adv, id, two.here));
    await sleep(1_200);
    carryOver(two.here, late);
    const told = ['conversation.deleted'];
    expect(await heard(socket, id, told)).toEqual(told);
  });

  it('hears nothing of a thread there that comes late from another node', async () => {
    const { adv, id, thread, socket } = await advocateOfThread();
    two.news = [];
    await say('late', { id: thread });
    await sleep(200);
    const late = two.news.splice(0);
    await peers(two.here).release(await enter(adv, id, two.here));
    await sleep(1_200);
    carryOver(two.here, late);
    await wait();
    expect([about(socket, id), about(socket, thread)]).toEqual([['conversation.deleted'], []]);
  });

  it('hears nothing of a thread there that was on its way into the database', async () => {
    const { adv, id, thread, socket } = await advocateOfThread();
    const pass = await enter(two.ada, thread, two.here);
    between(two.here.app.get(AppendStore), 'append', async () => {
      await peers(two.here).release(await enter(adv, id, two.here));
    });
    await two.here.app.get(MessagesService).append(pass, { content: 'waited' });
    await wait();
    expect([about(socket, id), about(socket, thread)]).toEqual([['conversation.deleted'], []]);
  });

  it('is not told who is here', async () => {
    const adv = await advocate();
    const id = await session();
    await peers().claim(adv, id);
    const owner = await socketOf(two.ada);
    const socket = await socketOf(adv);
    await socket.ask({ type: 'subscribe', conversationId: id });
    await peers().release(await enter(adv, id));
    await sleep(1_200);
    await owner.ask({ type: 'presence.set', status: 'dnd' });
    await wait();
    expect(socket.of('presence').filter(({ status }) => status === 'dnd')).toEqual([]);
  });

  it('takes nothing from who goes on showing the session: they are told who helps next and comes', async () => {
    const [before, after] = [await advocate(), await advocate()];
    const id = await session();
    await peers(two.here).claim(before, id);
    const owner = await socketOf(two.ada);
    await owner.ask({ type: 'subscribe', conversationId: id });
    await peers(two.here).release(await enter(before, id, two.here));
    await peers(two.here).claim(after, id);
    await wait();
    await socketOf(after);
    await wait();
    expect(owner.of('presence').filter(({ userId }) => userId === after.userId)).toMatchObject([{ status: 'online' }]);
  });

  it('is not told who types', async () => {
    const adv = await advocate();
    const id = await session();
    await peers().claim(adv, id);
    const owner = await socketOf(two.ada);
    const socket = await socketOf(adv);
    owner.send({ type: 'typing.start', conversationId: id });
    await socket.next('typing.start');
    await peers().release(await enter(adv, id));
    await sleep(1_200);
    owner.close();
    await wait();
    expect(socket.of('typing.stop')).toEqual([]);
  });

  it('hears nothing where their login ended while their socket opened', async () => {
    const writer = await actor(two.here.dataSource, 'writer');
    await add(writer);
    between(two.here.app.get(Actors), 'find', async () => {
      await two.here.dataSource.query(`UPDATE logins SET ended_at = now() WHERE id = $1`, [two.ada.loginId]);
      two.here.app
        .get(EventBus)
        .publish(LoginEnded([], { userId: two.ada.userId, loginIds: [two.ada.loginId], accessEnded: false }));
      await sleep(600);
    });
    // They may be refused before `ready`.
    const socket = await socketOf(two.ada).catch(() => undefined);
    if (!socket) return;
    await sleep(1_500);
    await say('secret', { node: two.here, who: writer });
    await wait();
    expect(about(socket, two.room)).toEqual([]);
  });

  it('hears nothing where the login has ended whose token their socket goes on with', async () => {
    const socket = await socketOf(two.ada);
    const [second] = await two.here.dataSource.query(
      `INSERT INTO logins (id, user_id, refresh_hash, family_hash, expires_at)
       SELECT gen_random_uuid(), user_id, sha256('a'::bytea || id::text::bytea), sha256('b'::bytea || id::text::bytea), expires_at FROM logins WHERE id = $1 RETURNING id`,
      [two.ada.loginId],
    );
    const { accessToken } = two.here.app.get(TokensService).issue(two.ada.userId, second.id);
    expect(await socket.ask({ type: 'authenticate', token: accessToken })).toMatchObject({ type: 'ack' });
    await two.here.dataSource.query(`UPDATE logins SET ended_at = now() WHERE id = $1`, [second.id]);
    await sleep(1_500);
    await say('secret', { node: two.there });
    carryOver(two.here, two.news.splice(0));
    await wait();
    expect(about(socket, two.room)).toEqual([]);
  });

  it('hears nothing where the login ended while its token was looked at, and is asked to sign in again', async () => {
    const socket = await socketOf(two.ada);
    const second = uuidv7();
    await two.here.dataSource.query(
      `INSERT INTO logins (id, user_id, refresh_hash, family_hash, expires_at)
       SELECT $2, user_id, sha256($3), sha256($3), expires_at FROM logins WHERE id = $1`,
      [two.ada.loginId, second, Buffer.from(second)],
    );
    const tokens = two.here.app.get(TokensService);
    between(tokens, 'verify', async () => {
      await two.here.dataSource.query(`UPDATE logins SET ended_at = now() WHERE id = $1`, [second]);
      await sleep(1_000);
    });
    socket.send({ type: 'authenticate', token: tokens.issue(two.ada.userId, second).accessToken });
    expect(await socket.closed).toMatchObject({ code: 4001 });
  });

  it('hears nothing where the login has ended that their socket goes on with, though that before was still being looked at', async () => {
    const socket = await socketOf(two.ada);
    const second = uuidv7();
    await two.here.dataSource.query(
      `INSERT INTO logins (id, user_id, refresh_hash, family_hash, expires_at)
       SELECT $2, user_id, sha256($3), sha256($3), expires_at FROM logins WHERE id = $1`,
      [two.ada.loginId, second, Buffer.from(second)],
    );
    const { accessToken } = two.here.app.get(TokensService).issue(two.ada.userId, second);
    const looked = new Promise<void>((resolve) =>
      between(two.here.app.get(Actors), 'find', async () => {
        expect(await socket.ask({ type: 'authenticate', token: accessToken })).toMatchObject({ type: 'ack' });
        resolve();
      }),
    );
    two.here.app.get(EventBus).hear(AccountChanged([], { userId: two.ada.userId }));
    await looked;
    await two.here.dataSource.query(`UPDATE logins SET ended_at = now() WHERE id = $1`, [second]);
    expect(await socket.closed).toMatchObject({ code: 4001 });
  });

  it('hears of no more sessions that wait, though who they were before is found after that', async () => {
    const adv = await advocate();
    const socket = await socketOf(adv);
    // The notice of their becoming one has been read by then.
    await sleep(600);
    const looked = new Promise<void>((resolve) =>
      between(two.here.app.get(Actors), 'find', async () => {
        await two.here.dataSource.query(`UPDATE users SET is_advocate = false WHERE id = $1`, [adv.userId]);
        await sleep(1_000);
        resolve();
      }),
    );
    two.here.app.get(EventBus).hear(AccountChanged([], { userId: adv.userId }));
    await looked;
    await setImmediate();
    two.here.app.get(EventBus).hear({ type: 'session.queued', audience: ['advocates'], data: {} });
    await wait();
    expect(socket.of('session.queued')).toEqual([]);
  });

  it('is not told who is here, though they asked for it at that moment', async () => {
    const adv = await advocate();
    const id = await session();
    await peers().claim(adv, id);
    const owner = await socketOf(two.ada);
    const socket = await socketOf(adv);
    const { database } = two.here.app.get<{ database: Database }>(AccessService);
    const prepared = database.prepared.bind(database);
    let isReleased = false;
    jest.spyOn(database, 'prepared').mockImplementation(async (text: string, values: unknown[]) => {
      const rows = await prepared<{ id: string }>(text, values);
      if (text.includes('asked.place') && rows.some((row) => row.id === id) && !isReleased) {
        isReleased = true;
        await peers().release(await enter(adv, id));
        await sleep(1_200);
      }
      return rows;
    });
    expect(await socket.ask({ type: 'subscribe', conversationId: id })).toMatchObject({ code: 'not_found' });
    await owner.ask({ type: 'presence.set', status: 'dnd' });
    await wait();
    expect(socket.of('presence')).toEqual([]);
  });

  it('hears of no more sessions that wait, though the database failed when it was asked who they are now', async () => {
    const adv = await advocate();
    const socket = await socketOf(adv);
    // The notice of their becoming one has been read by then.
    await sleep(600);
    between(two.here.app.get(Actors), 'find', () => Promise.reject(new Error('the database is away')));
    await two.here.dataSource.query(`UPDATE users SET is_advocate = false WHERE id = $1`, [adv.userId]);
    await sleep(1_000);
    two.here.app.get(EventBus).hear({ type: 'session.queued', audience: ['advocates'], data: {} });
    await wait();
    expect(socket.of('session.queued')).toEqual([]);
  });
});
