import { setTimeout as sleep } from 'node:timers/promises';
import { AccessService } from '../../src/access/access.service.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { CatchingUp } from '../../src/realtime/catching-up.js';
import { MembershipsService } from '../../src/servers/memberships/memberships.service.js';
import { ServersService } from '../../src/servers/servers/servers.service.js';
import { SessionsService } from '../../src/sessions/sessions.service.js';
import { between, carryOver } from '../support/apart.js';
import { heard, TwoNodesApart } from '../support/two-nodes-apart.js';

describe('a sync', () => {
  const two = TwoNodesApart.forThese();
  const { socketOf, enter, say, edit, session, peers, advocate, readAll } = two;

  it('goes on though another server was lost', async () => {
    const other = await two.here.app.get(ServersService).create(two.bob, 'other', undefined);
    await two.here.app.get(MembershipsService).add(two.bob, other.id, two.ada.userId, 'MEMBER');
    const socket = await socketOf(two.ada);
    await say('early', { node: two.here });
    between(two.here.app.get(CatchingUp), 'changes', () =>
      two.here.app.get(MembershipsService).remove(two.bob, other.id, two.ada.userId),
    );
    expect(await socket.ask({ type: 'sync', conversationId: two.room, afterRev: 0 })).toMatchObject({
      type: 'changes',
    });
  });

  it('of a thread is broken off where its session was lost and won again', async () => {
    const adv = await advocate();
    const id = await session();
    await peers(two.here).claim(adv, id);
    const threadId = await two.thread({ id, node: two.here });
    await say('in thread', { id: threadId, node: two.here });
    const socket = await socketOf(adv);
    between(two.here.app.get(CatchingUp), 'changes', async () => {
      await peers(two.here).release(await enter(adv, id, two.here));
      await peers(two.here).claim(adv, id);
    });
    expect(await socket.ask({ type: 'sync', conversationId: threadId, afterRev: 0 })).toMatchObject({
      type: 'error',
      code: 'sync_interrupted',
    });
  });

  it('that says to load anew makes later edits edits', async () => {
    await say('first');
    await say('second');
    carryOver(two.here, two.news.splice(0));
    const socket = await socketOf(two.ada);
    const third = await say('third');
    await two.here.dataSource.query(`UPDATE conversations SET floor_rev = 2 WHERE id = $1`, [two.room]);
    expect(await socket.ask({ type: 'sync', conversationId: two.room, afterRev: 1 })).toMatchObject({
      reset: true,
      rev: 3,
    });
    // They load the history, which has the third.
    await edit(third.id, 'third, edited');
    readAll();
    const told = ['changes 3', 'message.updated third, edited 4'];
    expect(await heard(socket, two.room, told)).toEqual(told);
  });

  it('with nothing in it makes later edits edits', async () => {
    const socket = await socketOf(two.ada);
    const first = await say('first');
    // They read it over REST.
    await socket.ask({ type: 'sync', conversationId: two.room, afterRev: 1 });
    await edit(first.id, 'first, edited');
    readAll();
    const told = ['changes 1', 'message.updated first, edited 2'];
    expect(await heard(socket, two.room, told)).toEqual(told);
  });

  it('leaves a clearing that was told untold', async () => {
    const id = (await two.here.app.get(SessionsService).create(two.ada, { type: 'peer' })).session.id;
    await say('first', { id, node: two.here });
    const socket = await socketOf(two.ada);
    const moderator = await two.here.app.get(AccessService).enter(two.ada, id, 'moderate');
    await two.here.app.get(MessagesService).clear(moderator);
    await socket.next('conversation.cleared');
    await say('lost', { id });
    readAll();
    // What it is called now is told with that.
    const told = ['conversation.updated', 'conversation.cleared 2', 'message.created lost 3', 'conversation.updated'];
    expect(await heard(socket, id, told)).toEqual(told);
  });

  it('is never too much for a slow reader', async () => {
    const other = (await two.here.app.get(ServersService).create(two.ada, 'other', undefined)).channels[0]
      ?.id as string;
    for (let n = 0; n < 100; n += 1) await say('好'.repeat(20_000), { node: two.here });
    const socket = await socketOf(two.ada);
    const asked = socket.ask({ type: 'sync', conversationId: two.room, afterRev: 0 }).catch(() => undefined);
    socket.ws.pause();
    await sleep(500);
    await say('meanwhile', { node: two.here, id: other });
    await sleep(300);
    socket.ws.resume();
    await asked;
    await socket.settle().catch(() => undefined);
    const closed = await Promise.race([socket.closed, sleep(500)]);
    expect(closed).toBeUndefined();
  });

  it('of many rooms at once is never too much for a slow reader', async () => {
    const rooms = await Promise.all(Array.from({ length: 8 }, () => session()));
    for (const id of rooms) for (let n = 0; n < 20; n += 1) await say('好'.repeat(20_000), { node: two.here, id });
    const socket = await socketOf(two.ada);
    socket.ws.pause();
    const asked = rooms.map((conversationId) => socket.ask({ type: 'sync', conversationId, afterRev: 0 }));
    await sleep(1_000);
    await say('meanwhile', { node: two.here });
    await sleep(300);
    socket.ws.resume();
    await Promise.all(asked);
    await socket.next(({ type, message }) => type === 'message.created' && message.content === 'meanwhile');
    for (const id of rooms) {
      await socket.next(({ type, conversationId, more }) => type === 'changes' && conversationId === id && !more);
      const pages = socket.heard.filter(({ type, conversationId }) => type === 'changes' && conversationId === id);
      expect(pages.flatMap(({ items }) => items.map(({ seq }: { seq: number }) => seq))).toHaveLength(20);
    }
  });
});
