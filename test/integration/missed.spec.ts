import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { ConversationCreated } from '../../src/conversations/conversations.events.js';
import { ConversationsService } from '../../src/conversations/conversations.service.js';
import { DirectsService } from '../../src/directs/directs.service.js';
import { HistoryService } from '../../src/messages/history.service.js';
import { ChannelsService } from '../../src/servers/channels/channels.service.js';
import { SessionsService } from '../../src/sessions/sessions.service.js';
import { AccessService } from '../../src/access/access.service.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { Presence } from '../../src/realtime/presence.js';
import type { Chosen } from '../../src/users/presence/neighbours.js';
import { WholeNodePresence } from '../../src/users/presence/presence.events.js';
import { between, carryOver } from '../support/apart.js';
import { jest } from '@jest/globals';
import { Database } from '../../src/platform/database/database.js';
import { actor } from '../support/services.js';
import { about, heard, TwoNodesApart } from '../support/two-nodes-apart.js';

describe('what another node did and did not tell', () => {
  const two = TwoNodesApart.forThese();
  const { socketOf, enter, say, add, channel, session, thread, peers, advocate, readAll, wait } = two;

  /** One in which something was said, as bob synced it. */
  const syncedThread = async () => {
    const id = await thread();
    await say('in thread', { id });
    await add(two.bob);
    const socket = await socketOf(two.bob);
    await socket.ask({ type: 'sync', conversationId: id, afterRev: 0 });
    return { id, socket };
  };

  it('is told, though the database failed once while it was read', async () => {
    const socket = await socketOf(two.ada);
    await say('lost');
    between(two.here.app.get(HistoryService), 'changes', () => Promise.reject(new Error('the database is away')));
    readAll();
    const told = ['message.created lost 1'];
    expect(await heard(socket, two.room, told)).toEqual(told);
  });

  it('is looked for with few questions, however many are here', async () => {
    const people = await Promise.all(Array.from({ length: 24 }, (_, i) => actor(two.here.dataSource, `p${i}`)));
    const sockets = await Promise.all(people.map(socketOf));
    await Promise.all(people.map((person) => add(person, two.there)));
    const asked = jest.spyOn(two.here.app.get(Database), 'prepared');
    readAll();
    await Promise.all(sockets.map((socket) => socket.next('conversation.created')));
    expect(asked.mock.calls.length).toBeLessThan(12);
    asked.mockClear();
    readAll();
    await wait();
    expect(asked.mock.calls.filter(([text]) => text.includes('unread'))).toEqual([]);
    expect(asked.mock.calls.length).toBeLessThan(8);
    asked.mockRestore();
  });

  it('is told, though its room was being read already', async () => {
    const socket = await socketOf(two.ada);
    await say('first');
    two.news = [];
    await say('second');
    between(two.here.app.get(HistoryService), 'changes', async () => {
      await say('third');
      readAll();
      await wait();
    });
    // The second comes, the first does not: after its time the gap is read.
    carryOver(two.here, two.news.splice(0));
    const told = ['message.created first 1', 'message.created second 2', 'message.created third 3'];
    expect(await heard(socket, two.room, told)).toEqual(told);
  });

  it('in a thread that somebody synced is told', async () => {
    const { id, socket } = await syncedThread();
    await say('lost', { id });
    readAll();
    const told = ['changes 1', 'message.created lost 2'];
    expect(await heard(socket, id, told)).toEqual(told);
  });

  it('in a thread is not told to an old client, which knows channels only', async () => {
    const { id } = await syncedThread();
    const old = await two.oldSocketOf(two.bob);
    await say('lost in the thread', { id });
    await say('lost in the channel');
    readAll();
    await old.next(({ text }) => text === 'lost in the channel');
    await wait();
    expect(old.heard.map(({ text }) => text)).toEqual(['lost in the channel']);
  });

  it('is not told to an old client where it is deleted again', async () => {
    const old = await two.oldSocketOf(two.ada);
    const { id } = await say('gone');
    await two.there.app.get(MessagesService).delete(await enter(two.ada, two.room), id);
    await say('lost');
    readAll();
    await old.next(({ text }) => text === 'lost');
    expect(old.heard.map(({ text }) => text)).toEqual(['lost']);
  });

  it('in a thread that somebody synced is told, though another one came who knew it from `ready`', async () => {
    const { id, socket } = await syncedThread();
    two.news = [];
    await say('late', { id });
    const late = two.news.splice(0);
    await socketOf(two.ada);
    carryOver(two.here, late);
    const told = ['changes 1', 'message.created late 2'];
    expect(await heard(socket, id, told)).toEqual(told);
  });

  it('as a new channel is told', async () => {
    const socket = await socketOf(two.ada);
    const { id } = await channel();
    readAll();
    const told = ['conversation.created'];
    expect(await heard(socket, id, told)).toEqual(told);
  });

  it('as a new channel is told to who was here, though somebody came meanwhile', async () => {
    await add(two.bob);
    const socket = await socketOf(two.ada);
    const { id } = await channel();
    await socketOf(two.bob);
    readAll();
    const told = ['conversation.created'];
    expect(await heard(socket, id, told)).toEqual(told);
  });

  it('as a new channel is told, though a message in it came', async () => {
    const socket = await socketOf(two.ada);
    const { id } = await channel();
    two.news = [];
    await say('first', { id });
    carryOver(two.here, two.news.splice(0));
    readAll();
    await wait();
    expect(about(socket, id)).toContain('conversation.created');
  });

  it('as a new session is told to a device that was here, though another one came meanwhile', async () => {
    const socket = await socketOf(two.ada);
    const id = await session();
    await socketOf(two.ada);
    readAll();
    // What becomes of sessions is read first.
    const told = ['conversation.updated', 'conversation.created'];
    expect(await heard(socket, id, told)).toEqual(told);
  });

  it('as a new channel is told to a device that was here, though another one came meanwhile', async () => {
    const socket = await socketOf(two.ada);
    const { id } = await channel();
    await socketOf(two.ada);
    readAll();
    expect(await heard(socket, id, ['conversation.created'])).toEqual(['conversation.created']);
  });

  it('as a new direct conversation is told, though a message in it came', async () => {
    const socket = await socketOf(two.ada);
    const { direct } = await two.there.app.get(DirectsService).open(two.bob, [two.ada.userId]);
    two.news = [];
    await say('first', { id: direct.id, who: two.bob });
    carryOver(two.here, two.news.splice(0));
    readAll();
    await wait();
    expect(about(socket, direct.id)).toContain('conversation.created');
  });

  it('to a session is told to its owner: its title, that it is closed, that its advocate has left', async () => {
    const adv = await advocate();
    const id = await session();
    await peers(two.here).claim(adv, id);
    const socket = await socketOf(two.ada);
    const sessions = two.there.app.get(SessionsService);
    await sessions.change(await enter(two.ada, id), { title: 'At last', status: 'closed' });
    await peers().release(await enter(adv, id));
    readAll();
    const { conversation } = await socket.next('conversation.updated');
    expect(conversation).toEqual({ id, title: 'At last', status: 'closed', type: 'peer', advocate: null });
  });

  it('before somebody came is not told to them: a clearing that their `ready` counted', async () => {
    const id = await session();
    await say('hello', { id });
    const clearing = await two.there.app.get(AccessService).enter(two.ada, id, 'clear');
    await two.there.app.get(MessagesService).clear(clearing);
    const socket = await socketOf(two.ada);
    await say('first', { id });
    two.news = [];
    await say('second', { id });
    // The second comes, the first does not: after its time the gap is read.
    carryOver(two.here, two.news.splice(0));
    const told = ['message.created first 3', 'message.created second 4'];
    expect(await heard(socket, id, told)).toEqual(told);
  });

  it('as taking part in a thread is told', async () => {
    await add(two.bob);
    const id = await thread({ node: two.here });
    await say('in thread', { id, node: two.here });
    const socket = await socketOf(two.bob);
    await socketOf(two.ada);
    two.news = [];
    await say('bob takes part', { id, who: two.bob });
    await sleep(100);
    carryOver(
      two.here,
      two.news.splice(0).filter(({ type }) => type !== ConversationCreated.type),
    );
    readAll();
    await wait();
    expect(about(socket, id)).toContain('conversation.created');
  });

  it('as joining a server is told with its rooms, though the database failed in between', async () => {
    await socketOf(two.ada);
    const socket = await socketOf(two.bob);
    await add(two.bob, two.there);
    between(two.here.app.get(ConversationsService), 'statesOf', () =>
      Promise.reject(new Error('the database is away')),
    );
    readAll();
    await sleep(3_000);
    await say('hello', { node: two.here });
    const told = ['conversation.created', 'message.created hello 1'];
    expect(await heard(socket, two.room, told)).toEqual(told);
  });

  it.each([
    ['', true],
    [', though nobody else of it is here', false],
  ])('as leaving a session is told%s', async (_, isOwnerHere) => {
    const adv = await advocate();
    const id = await session();
    await peers().claim(adv, id);
    if (isOwnerHere) await socketOf(two.ada);
    const socket = await socketOf(adv);
    await peers().release(await enter(adv, id));
    readAll();
    const told = ['conversation.deleted'];
    expect(await heard(socket, id, told)).toEqual(told);
  });

  it('as the end of a room, or of their part in it, is told once, though the news comes after all', async () => {
    const adv = await advocate();
    const [left, gone] = [await session(), await session()];
    for (const id of [left, gone]) await peers(two.here).claim(adv, id);
    const { id: lost } = await channel(two.here);
    const [socket, owner] = [await socketOf(adv), await socketOf(two.ada)];
    two.news = [];
    await peers().release(await enter(adv, left));
    await two.there.app.get(SessionsService).delete(await two.there.app.get(AccessService).enter(two.ada, gone, 'own'));
    const ruling = await two.there.app.get(AccessService).enter(two.ada, lost, 'own');
    await two.there.app.get(ChannelsService).delete(ruling);
    const late = two.news.splice(0);
    readAll();
    await wait();
    carryOver(two.here, late);
    await wait();
    const told = ['conversation.deleted'];
    expect([left, gone].map((id) => about(socket, id))).toEqual([told, told]);
    expect([gone, lost].map((id) => about(owner, id))).toEqual([told, told]);
  });

  it('by a database that lacks the last changes is told all the same', async () => {
    const socket = await socketOf(two.ada);
    for (const content of ['one', 'two', 'three']) await say(content, { node: two.here });
    await two.here.dataSource.query(`DELETE FROM messages WHERE conversation_id = $1 AND seq > 1`, [two.room]);
    await two.here.dataSource.query(`UPDATE conversations SET last_seq = 1, last_rev = 1 WHERE id = $1`, [two.room]);
    readAll();
    await wait();
    await say('new two', { node: two.here });
    await say('new three', { node: two.here });
    await wait();
    expect(about(socket, two.room).slice(3)).toEqual(['message.created new two 2', 'message.created new three 3']);
  });

  it('as choosing to be invisible is told to their own devices, and they are seen no more', async () => {
    await add(two.bob);
    const mine = await socketOf(two.ada);
    const screen = await socketOf(two.bob);
    await screen.ask({ type: 'subscribe', conversationId: two.room });
    await two.there.app.get(Presence).choose(two.ada.userId, 'invisible');
    readAll();
    const told = { userId: two.ada.userId };
    expect(await mine.next('presence')).toMatchObject({ ...told, status: 'invisible' });
    expect(await screen.next(({ type, status }) => type === 'presence' && status === 'offline')).toMatchObject(told);
    readAll();
    await wait();
    expect(mine.of('presence')).toHaveLength(1);
  });

  it.each<[string, (people: [string, Chosen][]) => unknown]>([
    [
      'who is on the other node',
      (people) => carryOver(two.here, [WholeNodePresence([], { nodeId: uuidv7(), version: 1, people })]),
    ],
    ['another device of theirs', () => socketOf(two.ada)],
  ])('as choosing how to be seen is told, though it was learnt first from %s', async (_, learn) => {
    const mine = await socketOf(two.ada);
    await two.there.app.get(Presence).choose(two.ada.userId, 'dnd');
    await learn([[two.ada.userId, await two.there.app.get(Presence).chosenBy(two.ada.userId)]]);
    readAll();
    await wait();
    expect(mine.of('presence').map(({ status }) => status)).toEqual(['dnd']);
  });

  it('as choosing how to be seen is not told when it comes after what was chosen later', async () => {
    const mine = await socketOf(two.ada);
    await two.there.app.get(Presence).choose(two.ada.userId, 'away');
    const late = two.news.splice(0);
    await two.here.app.get(Presence).choose(two.ada.userId, 'dnd');
    carryOver(two.here, late);
    await mine.settle();
    expect(mine.of('presence').map(({ status }) => status)).toEqual(['dnd']);
  });
});
