import { setImmediate } from 'node:timers/promises';
import { AccessService } from '../../src/access/access.service.js';
import type { Actor } from '../../src/auth/actor.js';
import { draftRow } from '../../src/messages/draft.js';
import { HistoryService } from '../../src/messages/history.service.js';
import type { MessageView } from '../../src/messages/message.presenter.js';
import { mentioning } from '../../src/messages/mentions/mentioning.js';
import { MessageStored } from '../../src/messages/messages.events.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { WriteQueue } from '../../src/messages/write-queue.js';
import { EventBus } from '../../src/platform/events/event-bus.js';
import { ServersService } from '../../src/servers/servers/servers.service.js';
import { Roster } from '../../src/users/presence/roster.js';
import { actor, type Services, twoNodes } from '../support/services.js';

/** Two nodes on one database, each with its own write queue: what one node cannot order, the row lock must. */
describe('sending under races', () => {
  let nodes: [Services, Services];
  let close: () => Promise<void>;
  let ada: Actor;

  beforeAll(async () => {
    ({ nodes, close } = await twoNodes({ deadlocks: 1 }));
    ada = await actor(nodes[0].dataSource, 'ada');
  }, 60_000);
  afterAll(() => close());

  const newChannel = async () =>
    (await nodes[0].app.get(ServersService).create(ada, 'S', undefined)).channels[0]?.id as string;
  const send = async (node: Services, conversationId: string, content: string, nonce?: string) => {
    const writer = await node.app.get(AccessService).enter(ada, conversationId, 'write');
    return node.app.get(MessagesService).append(writer, { content, nonce });
  };
  const everything = async (conversationId: string) => {
    const reader = await nodes[0].app.get(AccessService).enter(ada, conversationId, 'read');
    const items: MessageView[] = [];
    for (let after = 0, more = true; more;) {
      const page = await nodes[0].app.get(HistoryService).page(reader, { after }, 100);
      items.push(...page.items);
      ({ more } = page);
      after = page.items.at(-1)?.seq ?? 0;
    }
    return items;
  };

  it('stores one message of fifty sends with one nonce, on two nodes at once', async () => {
    const room = await newChannel();
    const sends = Array.from({ length: 50 }, (_, i) => send(nodes[i % 2] as Services, room, 'once', 'n'));
    const results = await Promise.all(sends);
    expect(results.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(results.map(({ message }) => message.id)).size).toBe(1);
    expect(await everything(room)).toHaveLength(1);
  });

  it('refuses the nonce for another content, whichever came first, and only for the same author', async () => {
    const room = await newChannel();
    const contents = Array.from({ length: 20 }, (_, i) => `content ${i % 2}`);
    const results = await Promise.allSettled(
      contents.map((text, i) => send(nodes[i % 2] as Services, room, text, 'n')),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(10);
    expect(refused.every(({ reason }) => (reason as { code: string }).code === 'nonce_reused')).toBe(true);
    expect(await everything(room)).toHaveLength(1);
  });

  it('names each of up to 500 who are here, and everybody where they are more', async () => {
    const [{ app, dataSource }] = nodes;
    const { id, channels } = await app.get(ServersService).create(ada, 'Many', undefined);
    const room = channels[0]?.id as string;
    const people: { id: string }[] = await dataSource.query(
      `WITH person AS (
         INSERT INTO users (id, username, username_key, display_name)
         SELECT uuidv7(), 'many' || n, 'many' || n, 'Many' FROM generate_series(1, 502) n RETURNING id
       ), member AS (
         INSERT INTO memberships (server_id, user_id, role) SELECT $1, id, 'MEMBER' FROM person OFFSET 1
       )
       SELECT id FROM person`,
      [id],
    );
    const roster = app.get(Roster);
    const come = (userId: string) => roster.came(userId, userId, { choice: 'online', at: 0 });
    // One of them is no member, and none of the server's business.
    for (const person of people.slice(0, 501)) come(person.id);
    const { message } = await send(nodes[0], room, 'is everybody @here?');
    expect(message).toMatchObject({ mentionsEveryone: false });
    expect(message.mentions).toHaveLength(500);
    expect(message.mentions).not.toContain(people[0]?.id);
    come(people[501]?.id as string);
    const more = (await send(nodes[0], room, '@here now')).message;
    expect(more).toMatchObject({ mentions: [], mentionsEveryone: true });
  });

  it('never reads all messages, though the plan was made while there were none', async () => {
    const room = await newChannel();
    const { dataSource } = nodes[0];
    const read = async () => {
      // What the backends of the pool have counted, they hand in when they are idle, and at most once a second.
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      await Promise.all(Array.from({ length: 20 }, () => dataSource.query(`SELECT pg_stat_force_next_flush()`)));
      const [row] = await dataSource.query<{ rows: number }[]>(
        `SELECT sum(seq_tup_read)::int AS rows FROM pg_stat_user_tables WHERE relname = 'messages'`,
      );
      return row?.rows ?? 0;
    };
    await dataSource.query(`VACUUM ANALYZE messages`);
    for (let i = 0; i < 10; i += 1) await send(nodes[0], room, `first ${i}`);
    const before = await read();
    await Promise.all(Array.from({ length: 200 }, (_, i) => send(nodes[0], room, `then ${i}`, `n${i}`)));
    expect(await read()).toBe(before);
  });

  it('knows a repeated send again after the message was edited', async () => {
    const room = await newChannel();
    const { message } = await send(nodes[0], room, 'first words', 'n');
    const writer = await nodes[0].app.get(AccessService).enter(ada, room, 'write');
    await nodes[0].app.get(MessagesService).edit(writer, message.id, 'other words');
    const again = await send(nodes[1], room, 'first words', 'n');
    expect(again).toMatchObject({
      created: false,
      message: { id: message.id, content: 'other words' },
    });
  });

  it('counts without holes while two nodes write into many rooms', async () => {
    const rooms = await Promise.all(Array.from({ length: 8 }, newChannel));
    await Promise.all(
      Array.from({ length: 800 }, (_, i) => send(nodes[i % 2] as Services, rooms[i % 8] as string, `message ${i}`)),
    );
    for (const room of rooms) {
      const items = await everything(room);
      expect(items.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
      expect(items.map(({ rev }) => rev)).toEqual(items.map(({ seq }) => seq));
    }
  });

  it('keeps the order in which one node was asked', async () => {
    const room = await newChannel();
    const writer = await nodes[0].app.get(AccessService).enter(ada, room, 'write');
    const messages = nodes[0].app.get(MessagesService);
    await Promise.all(Array.from({ length: 500 }, (_, i) => messages.append(writer, { content: String(i) })));
    expect((await everything(room)).map(({ content }) => content)).toEqual(
      Array.from({ length: 500 }, (_, i) => String(i)),
    );
  });

  it('has the next batch at the database while it announces one', async () => {
    const [{ app }] = nodes;
    const room = await newChannel();
    const loads: object[] = [];
    app.get(EventBus).on(MessageStored, ({ room: { id } }) => {
      if (id === room) loads.push(app.get(WriteQueue).load);
    });
    // One nonce is in a batch once: the second send is left for the next.
    await Promise.all([send(nodes[0], room, 'once', 'n'), send(nodes[0], room, 'once', 'n')]);
    expect(loads).toEqual([{ waiting: 0, running: 1 }]);
  });

  it('tells the rest of a batch though one of them cannot be told', async () => {
    const [{ app }] = nodes;
    const room = await newChannel();
    const writer = await app.get(AccessService).enter(ada, room, 'write');
    const draft = { content: 'unheard' };
    const unheard = new Promise((_, reject) => {
      const deaf = () => {
        throw new Error('deaf');
      };
      app.get(WriteQueue).send(draftRow(writer, draft, mentioning(writer, draft.content)), deaf, reject);
    });
    const heard = send(nodes[0], room, 'heard');
    await expect(unheard).rejects.toThrow('deaf');
    expect((await heard).message.seq).toBe(2);
    expect(app.get(WriteQueue).load).toEqual({ waiting: 0, running: 0 });
  });

  it('has its turn beside rooms in which the work never ends', async () => {
    const queue = nodes[0].app.get(WriteQueue);
    let jobs = 0;
    let isOver = false;
    const goOn = async (room: string): Promise<void> => {
      while (!isOver) await queue.exclusive(room, () => ((jobs += 1), setImmediate()));
    };
    const busy = ['one', 'other'].flatMap((room) => Array.from({ length: 10 }, () => goOn(room)));
    const room = await newChannel();
    const writer = await nodes[0].app.get(AccessService).enter(ada, room, 'write');
    const before = jobs;
    const changed = queue.exclusive(room, () => Promise.resolve(jobs - before));
    const sent = nodes[0].app.get(MessagesService).append(writer, { content: 'me too' });
    // Without a turn of their own they would wait for as long as the others go on.
    setTimeout(() => (isOver = true), 3_000).unref();
    await sent;
    expect(isOver).toBe(false);
    expect(await changed).toBeLessThan(10);
    isOver = true;
    await Promise.all(busy);
  });

  it('lets a draft fail alone in its batch', async () => {
    const room = await newChannel();
    const writer = await nodes[0].app.get(AccessService).enter(ada, room, 'write');
    const messages = nodes[0].app.get(MessagesService);
    const drafts = Array.from({ length: 30 }, (_, i) => ({
      content: i === 7 ? 'unstorable \u0000' : `fine ${i}`,
      replyToId: i === 9 ? '01990000-0000-7000-8000-00000000dead' : undefined,
    }));
    const results = await Promise.allSettled(drafts.map((draft) => messages.append(writer, draft)));
    expect(results.flatMap(({ status }, i) => (status === 'rejected' ? [i] : []))).toEqual([7, 9]);
    expect((await everything(room)).map(({ seq }) => seq)).toEqual(Array.from({ length: 28 }, (_, i) => i + 1));
  });

  it('goes through after all where the locks of somebody else made a circle', async () => {
    const room = await newChannel();
    const runner = nodes[1].dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query(`SELECT 1 FROM users WHERE id = $1 FOR UPDATE`, [ada.userId]);
    const sent = send(nodes[0], room, 'in the end');
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    while ((await nodes[1].dataSource.query(waiting)).length === 0);
    await runner.query(`SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE`, [room]).catch(() => undefined);
    await runner.rollbackTransaction();
    await runner.release();
    expect((await sent).message).toMatchObject({
      content: 'in the end',
      seq: 1,
    });
  });

  it('announces sends, edits and deletions of one room in the order of their rev', async () => {
    const room = await newChannel();
    const revs: number[] = [];
    nodes[0].app.get(EventBus).onAny(({ data }) => {
      const change = data as { conversationId?: string; rev?: number };
      if (change.conversationId === room && change.rev) revs.push(change.rev);
    });
    const writer = await nodes[0].app.get(AccessService).enter(ada, room, 'write');
    const messages = nodes[0].app.get(MessagesService);
    const { message } = await messages.append(writer, {
      content: 'to be edited',
    });
    const { message: other } = await messages.append(writer, {
      content: 'to be deleted',
    });
    const acts = Array.from({ length: 120 }, (_, i) => {
      if (i === 60) return messages.delete(writer, other.id);
      return i % 3 === 0
        ? messages.edit(writer, message.id, `edit ${i}`)
        : messages.append(writer, { content: `${i}` });
    });
    await Promise.all(acts);
    expect(revs).toEqual(Array.from({ length: 122 }, (_, i) => i + 1));
  });

  it('brings a client from any rev to the present by changes, each message once and in its present state', async () => {
    const room = await newChannel();
    const writer = await nodes[0].app.get(AccessService).enter(ada, room, 'write');
    const messages = nodes[0].app.get(MessagesService);
    const sent = await Promise.all(Array.from({ length: 250 }, (_, i) => messages.append(writer, { content: `${i}` })));
    await Promise.all(sent.slice(0, 60).map(({ message }, i) => messages.edit(writer, message.id, `edited ${i}`)));
    await Promise.all(sent.slice(50, 70).map(({ message }) => messages.delete(writer, message.id)));
    const history = nodes[1].app.get(HistoryService);
    for (const start of [0, 249, 300]) {
      const have = new Map(
        (start === 0 ? [] : sent.map(({ message }) => message)).map((message) => [message.id, message]),
      );
      for (let rev = start === 0 ? 0 : 250, more = true; more;) {
        const changes = await history.changes(writer, rev, 100);
        changes.items.forEach((message) => have.set(message.id, message));
        ({ rev, more } = changes);
      }
      expect([...have.values()].sort((a, b) => a.seq - b.seq)).toEqual(await everything(room));
    }
    expect(await history.changes(writer, 10_000, 100)).toMatchObject({
      reset: true,
      items: [],
    });
  });
});
