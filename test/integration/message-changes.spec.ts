import { AccessService } from '../../src/access/access.service.js';
import type { Actor } from '../../src/auth/actor.js';
import { MessageUpdated } from '../../src/messages/messages.events.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { PinsService } from '../../src/messages/pins/pins.service.js';
import { ReactionsService } from '../../src/messages/reactions/reactions.service.js';
import { ThreadsService } from '../../src/messages/threads/threads.service.js';
import { AccountDeletion } from '../../src/operations/accounts/account-deletion.service.js';
import { SessionsService } from '../../src/sessions/sessions.service.js';
import type { DomainEvent } from '../../src/platform/events/event.js';
import { EventBus } from '../../src/platform/events/event-bus.js';
import { MembershipsService } from '../../src/servers/memberships/memberships.service.js';
import { ServersService } from '../../src/servers/servers/servers.service.js';
import { actor, type Services, twoNodes } from '../support/services.js';

/** Two nodes on one database: what one node cannot put in order, the room's row lock must. */
describe('changes of messages under races', () => {
  let nodes: [Services, Services];
  let close: () => Promise<void>;
  let ada: Actor;
  let people: Actor[];
  let server: string;
  let room: string;

  beforeAll(async () => {
    ({ nodes, close } = await twoNodes());
    ada = await actor(nodes[0].dataSource, 'ada');
    people = await Promise.all(Array.from({ length: 50 }, (_, i) => actor(nodes[0].dataSource, `p${i}`)));
    const { id, channels } = await nodes[0].app.get(ServersService).create(ada, 'S', undefined);
    server = id;
    room = channels[0]?.id as string;
    for (const { userId } of people) await nodes[0].app.get(MembershipsService).add(ada, id, userId, 'MEMBER');
  }, 60_000);
  afterAll(() => close());

  const writer = (who: Actor, node: Services = nodes[0]) => node.app.get(AccessService).enter(who, room, 'write');
  const say = async (content: string) =>
    (await nodes[0].app.get(MessagesService).append(await writer(ada), { content })).message;
  /** Lets each of them act at the same moment, every other one on the other node. */
  const atOnce = <T>(whom: Actor[], act: (who: Actor, node: Services, i: number) => Promise<T>) =>
    Promise.allSettled(whom.map((who, i) => act(who, nodes[i % 2] as Services, i)));
  const stored = async (messageId: string) => {
    const [row] = await nodes[0].dataSource.query(
      `SELECT rev, reactions, (SELECT count(*) FROM reactions r WHERE r.message_id = m.id) AS rows
       FROM messages m WHERE id = $1`,
      [messageId],
    );
    return row as { rev: number; rows: number; reactions: { emoji: string; count: number }[] | null };
  };

  it('count fifty people who react at once, on two nodes, and fifty who take it back', async () => {
    const message = await say('react');
    const heard: number[] = [];
    nodes[0].app.get(EventBus).on(MessageUpdated, (change) => heard.push(change.rev));
    const put = await atOnce([...people, ...people], async (who, node) =>
      node.app.get(ReactionsService).add(await writer(who, node), message.id, '👍'),
    );
    expect(put.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(await stored(message.id)).toEqual({
      rev: message.rev + 50,
      rows: 50,
      reactions: [{ emoji: '👍', count: 50 }],
    });
    expect(heard.toSorted((a, b) => a - b)).toEqual(heard);
    await atOnce([...people, ...people], async (who, node) =>
      node.app.get(ReactionsService).remove(await writer(who, node), message.id, '👍'),
    );
    expect(await stored(message.id)).toEqual({ rev: message.rev + 100, rows: 0, reactions: null });
  });

  it('let twenty kinds in of fifty that race, and no more', async () => {
    const message = await say('twenty');
    const results = await atOnce(people, async (who, node, i) =>
      node.app.get(ReactionsService).add(await writer(who, node), message.id, `:kind-${i}:`),
    );
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
    expect(refused).toEqual(Array(30).fill('too_many_reactions'));
    const { rows, reactions } = await stored(message.id);
    expect([rows, reactions?.length, reactions?.every(({ count }) => count === 1)]).toEqual([20, 20, true]);
  });

  it('pin fifty of sixty that race', async () => {
    const messages = await Promise.all(Array.from({ length: 60 }, (_, i) => say(`pin ${i}`)));
    const results = await atOnce(Array<Actor>(60).fill(ada), async (who, node, i) =>
      node.app
        .get(PinsService)
        .pin(await node.app.get(AccessService).enter(who, room, 'pin'), messages[i]?.id as string),
    );
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
    expect(refused).toEqual(Array(10).fill('too_many_pins'));
    const [{ count }] = await nodes[0].dataSource.query(`SELECT count(*) FROM messages WHERE pinned_at IS NOT NULL`);
    expect(count).toBe(50);
  });

  it('delete each message once where moderators delete the same ones, their authors edit and others react', async () => {
    const messages = await Promise.all(Array.from({ length: 20 }, (_, i) => say(`spam ${i}`)));
    const ids = messages.map(({ id }) => id);
    const deletions = nodes.flatMap((node) =>
      [ids, ids.toReversed(), ids.slice(10)].map(async (some) =>
        node.app.get(MessagesService).deleteMany(await node.app.get(AccessService).enter(ada, room, 'moderate'), some),
      ),
    );
    const reactions = atOnce(people.slice(0, 20), async (who, node, i) =>
      node.app.get(ReactionsService).add(await writer(who, node), ids[i] as string, '👍'),
    );
    const edits = atOnce(Array<Actor>(20).fill(ada), async (who, node, i) =>
      node.app.get(MessagesService).edit(await writer(who, node), ids[i] as string, 'edited'),
    );
    const deleted = await Promise.all(deletions);
    await Promise.all([reactions, edits]);
    expect(deleted.reduce((sum, each) => sum + each, 0)).toBe(20);
    const left = await nodes[0].dataSource.query(
      `SELECT (SELECT count(*) FROM messages WHERE id = ANY($1) AND (content IS NOT NULL OR reactions IS NOT NULL)) +
         (SELECT count(*) FROM message_revisions WHERE message_id = ANY($1)) +
         (SELECT count(*) FROM reactions WHERE message_id = ANY($1)) AS count`,
      [ids],
    );
    expect(left).toEqual([{ count: 0 }]);
  });

  it('delete once what is named twice, with a rev for each message and none besides', async () => {
    const [first, second] = [await say('spam'), await say('more spam')];
    const moderator = await nodes[0].app.get(AccessService).enter(ada, room, 'moderate');
    const named = [first.id, second.id, first.id];
    expect(await nodes[0].app.get(MessagesService).deleteMany(moderator, named)).toBe(2);
    const [{ head }] = await nodes[0].dataSource.query(`SELECT last_rev AS head FROM conversations WHERE id = $1`, [
      room,
    ]);
    expect(head).toBe(second.rev + 2);
    expect([(await stored(first.id)).rev, (await stored(second.id)).rev]).toEqual([head - 1, head]);
  });

  it('open one thread of twenty who open it, each taking part in it', async () => {
    const message = await say('open me');
    const opened = await atOnce(people.slice(0, 20), async (who, node) =>
      node.app.get(ThreadsService).open(await writer(who, node), message.id),
    );
    const threads = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect([threads.length, threads.filter(({ created }) => created).length]).toEqual([20, 1]);
    expect(new Set(threads.map(({ id }) => id)).size).toBe(1);
    expect((await stored(message.id)).rev).toBe(message.rev + 1);
    const [{ count }] = await nodes[0].dataSource.query(
      `SELECT count(*) FROM thread_participants WHERE thread_id = $1`,
      [threads[0]?.id],
    );
    expect(count).toBe(20);
  });

  it('store messages that name people who delete their accounts meanwhile', async () => {
    const leavers = await Promise.all(Array.from({ length: 10 }, (_, i) => actor(nodes[0].dataSource, `leaver${i}`)));
    for (const { userId } of leavers) await nodes[0].app.get(MembershipsService).add(ada, server, userId, 'MEMBER');
    const names = leavers.map(({ profile }) => `@${profile.username}`).join(' ');
    const [sends] = await Promise.all([
      atOnce(people, async (who, node) =>
        node.app.get(MessagesService).append(await writer(who, node), { content: names }),
      ),
      atOnce(leavers, (who, node) => node.app.get(AccountDeletion).delete(who)),
    ]);
    expect(sends.filter(({ status }) => status === 'rejected')).toEqual([]);
    const left = await nodes[0].dataSource.query(`SELECT 1 FROM mentions`);
    expect(left).toEqual([]);
  });

  it('in the threads of a session are refused to an advocate who was let go after the pass was made', async () => {
    const [bob] = people as [Actor];
    await nodes[0].dataSource.query(`UPDATE users SET is_advocate = true WHERE id = $1`, [bob.userId]);
    const body = { type: 'peer' as const, advocateId: bob.userId };
    const { session } = await nodes[0].app.get(SessionsService).create(ada, body);
    const door = nodes[0].app.get(AccessService);
    const messages = nodes[0].app.get(MessagesService);
    const hers = await door.enter(ada, session.id, 'write');
    const { message } = await messages.append(hers, { content: 'help' });
    const { id: thread } = await nodes[0].app.get(ThreadsService).open(hers, message.id);
    const his = await door.enter(bob, thread, 'write');
    const { message: said } = await messages.append(his, { content: 'here I am' });
    expect(said.role).toBe('peer');
    await nodes[0].dataSource.query(`UPDATE sessions SET advocate_id = NULL WHERE id = $1`, [session.id]);
    await expect(messages.append(his, { content: 'still here' })).rejects.toMatchObject({ status: 404 });
    await expect(messages.edit(his, said.id, 'still here')).rejects.toMatchObject({ status: 404 });
    const heard: DomainEvent[] = [];
    nodes[0].app.get(EventBus).onAny((event) => heard.push(event));
    await messages.append(await door.enter(ada, thread, 'write'), { content: 'alone again' });
    const created = heard.find(({ type }) => type === 'message.created');
    expect(created?.audience).toEqual([`user:${ada.userId}`]);
  });

  it('keep what was said before each of many edits that race, each once', async () => {
    const message = await say('edit 0');
    await atOnce(Array<Actor>(20).fill(ada), async (who, node, i) =>
      node.app.get(MessagesService).edit(await writer(who, node), message.id, `edit ${i + 1}`),
    );
    const revisions: { content: string; rev: number }[] = await nodes[0].dataSource.query(
      `SELECT content, rev FROM message_revisions WHERE message_id = $1 ORDER BY rev`,
      [message.id],
    );
    const [{ content, rev }] = await nodes[0].dataSource.query(`SELECT content, rev FROM messages WHERE id = $1`, [
      message.id,
    ]);
    expect(revisions.map((revision) => revision.rev)).toEqual(Array.from({ length: 20 }, (_, i) => message.rev + i));
    expect(new Set([...revisions.map((revision) => revision.content), content]).size).toBe(21);
    expect(rev).toBe(message.rev + 20);
  });
});
