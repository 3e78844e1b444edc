import { AccessService } from '../../src/access/access.service.js';
import type { Reader, Writer } from '../../src/access/pass.js';
import type { Actor } from '../../src/auth/actor.js';
import { HistoryService } from '../../src/messages/history.service.js';
import { ThreadsService } from '../../src/messages/threads/threads.service.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { NightlyPurge, untilNight } from '../../src/operations/retention/nightly-purge.js';
import { Purge } from '../../src/operations/retention/purge.js';
import type { Config } from '../../src/platform/config/config.js';
import { Database } from '../../src/platform/database/database.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { ServersService } from '../../src/servers/servers/servers.service.js';
import { actor, servicesOnOwnDatabase, type Services } from '../support/services.js';
import { runCommand } from '../support/run-app.js';
import { until } from '../support/until.js';
import type { TestDatabase } from '../support/test-database.js';

type Retention = Config['retention'];
const KEEP_ALL: Retention = { tombstoneDays: undefined, revisionDays: undefined, logDays: undefined };

describe('retention', () => {
  let services: Services & { database: TestDatabase };
  let ada: Actor;
  let room: string;
  let writer: Writer;
  let reader: Reader;

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
    ada = await actor(services.dataSource, 'ada');
  }, 60_000);
  afterAll(() => services.close());
  beforeEach(async () => {
    const { channels } = await services.app.get(ServersService).create(ada, 'A server', undefined);
    room = channels[0]!.id;
    writer = await services.app.get(AccessService).enter(ada, room, 'write');
    reader = await services.app.get(AccessService).enter(ada, room, 'read');
  });

  const say = async (content: string, replyToId?: string) =>
    (await services.app.get(MessagesService).append(writer, { content, replyToId })).message;
  const remove = (id: string) => services.app.get(MessagesService).delete(writer, id);
  const changes = (after: number) => services.app.get(HistoryService).changes(reader, after, 1000);
  const sql = (text: string, values: unknown[] = []): Promise<any[]> => services.dataSource.query(text, values);
  const age = (days: number) =>
    sql(`UPDATE messages SET deleted_at = deleted_at - make_interval(days => $2) WHERE conversation_id = $1`, [
      room,
      days,
    ]);
  const purge = (retention: Partial<Retention>): Purge => {
    const config = { retention: { ...KEEP_ALL, ...retention } } as Config;
    return new Purge(services.app.get(Database), services.app.get(UnitOfWork), config);
  };
  const seqs = async (): Promise<number[]> =>
    (await sql(`SELECT seq FROM messages WHERE conversation_id = $1 ORDER BY seq`, [room])).map(({ seq }) => seq);

  it('leaves pages by offset as they were: each message once', async () => {
    const ids: string[] = [];
    for (let i = 1; i <= 10; i += 1) ids.push((await say(`message ${i}`)).id);
    await remove(ids[7] as string);
    await age(40);
    await purge({ tombstoneDays: 30 }).run();
    const seen: number[] = [];
    for (let skip = 0, page = [0]; page.length > 0; skip += page.length) {
      const items = await services.app.get(HistoryService).pageSkipping(reader, skip, 3);
      page = items.map(({ seq }) => seq).reverse();
      seen.push(...page);
    }
    expect(seen).toEqual([10, 9, 7, 6, 5, 4, 3, 2, 1]);
  });

  it('keeps everything where nothing is configured', async () => {
    await remove((await say('gone')).id);
    await say('last');
    await age(10_000);
    expect(await purge({}).run()).toMatchObject({ tombstones: 0, revisions: 0, events: 0 });
    expect(await seqs()).toEqual([1, 2]);
  });

  it('takes out what was deleted long ago, and neither what was answered nor what is last nor what has a thread', async () => {
    const [first, answered] = [await say('one'), await say('two')];
    await say('an answer', answered.id);
    const last = await say('four');
    const { id: thread } = await services.app.get(ThreadsService).open(writer, last.id);
    for (const { id } of [first, answered, last]) await remove(id);
    await age(31);
    const recent = await say('five');
    await say('six');
    await remove(recent.id);
    await purge({ tombstoneDays: 30 }).run();
    expect(await seqs()).toEqual([2, 3, 4, 5, 6]);
    expect((await say('seven')).seq).toBe(7);
    await services.app.get(AccessService).enter(ada, thread, 'read');
  });

  it('leaves a thread what it hangs on', async () => {
    const { id } = await say('one');
    const thread = await services.app.get(ThreadsService).open(writer, id);
    await say('two');
    await remove(id);
    await age(31);
    await purge({ tombstoneDays: 30 }).run();
    expect(await seqs()).toEqual([1, 2]);
    expect(await sql(`SELECT 1 FROM conversations WHERE id = $1`, [thread.id])).toHaveLength(1);
  });

  it('keeps the last place of a conversation, which its inbox shows', async () => {
    await remove((await say('one')).id);
    await age(31);
    await purge({ tombstoneDays: 30 }).run();
    expect(await seqs()).toEqual([1]);
  });

  it('tells cursors from before to load anew, and serves all others in full', async () => {
    const [first] = [await say('one'), await say('two')];
    const { rev } = await remove(first.id);
    const third = await say('three');
    await age(31);
    const before = await changes(rev - 1);
    expect([before.reset, before.items.map((item) => item.rev)]).toEqual([false, [rev, third.rev]]);
    await purge({ tombstoneDays: 30 }).run();
    expect(await changes(rev - 1)).toMatchObject({ reset: true, items: [], rev: third.rev });
    expect(await changes(0)).toMatchObject({ reset: true });
    const after = await changes(rev);
    expect([after.reset, after.items.map((item) => item.rev)]).toEqual([false, [third.rev]]);
  });

  it('never leaves a gap unsaid to somebody who asks while it purges', async () => {
    const messages = [];
    for (let i = 0; i < 120; i += 1) messages.push(await say(`message ${i}`));
    for (const { id } of messages.slice(0, 100)) await remove(id);
    await age(31);
    const { items, rev } = await changes(0);
    const revs = items.map((item) => item.rev);
    const asked: Promise<void>[] = [];
    let done = false;
    const purging = purge({ tombstoneDays: 30 })
      .run()
      .then(() => (done = true));
    const ask = async () => {
      for (let i = 0; !done; i += 1) {
        const after = revs[i % revs.length]!;
        const answer = await changes(after);
        if (!answer.reset) expect(answer.items.map((item) => item.rev)).toEqual(revs.filter((each) => each > after));
      }
    };
    for (let i = 0; i < 8; i += 1) asked.push(ask());
    await Promise.all([purging, ...asked]);
    expect(await changes(revs[50]!)).toMatchObject({ reset: true, rev });
  });

  it('takes out what messages said before, and the trail of accounts, after as many days as are configured', async () => {
    const { id } = await say('one');
    for (const content of ['two', 'three']) await services.app.get(MessagesService).edit(writer, id, content);
    await sql(
      `UPDATE message_revisions SET created_at = now() - interval '8 days' WHERE conversation_id = $1 AND content = 'one'`,
      [room],
    );
    await sql(
      `INSERT INTO account_events (id, user_id, kind, created_at)
       SELECT gen_random_uuid(), $1, 'signed_in', now() - make_interval(days => n) FROM generate_series(1, 1200) AS n`,
      [ada.userId],
    );
    await sql(
      `INSERT INTO audit_log (id, server_id, action, created_at)
       SELECT gen_random_uuid(), server_id, 'role_changed', now() - make_interval(days => n)
       FROM channels, unnest(ARRAY[99, 101]) AS n WHERE channels.id = $1`,
      [room],
    );
    expect(await purge({ revisionDays: 7, logDays: 100 }).run()).toMatchObject({ revisions: 1, events: 1102 });
    const left = await sql(`SELECT content FROM message_revisions WHERE conversation_id = $1`, [room]);
    expect(left).toEqual([{ content: 'two' }]);
  });

  it('runs once, however many nodes come to it', async () => {
    const { dataSource } = services;
    const nights = Array.from({ length: 5 }, () => new NightlyPurge(dataSource, purge({})).run());
    const results = await Promise.all(nights);
    expect(results.filter((result) => result !== undefined).length).toBeGreaterThanOrEqual(1);
    const holder = dataSource.createQueryRunner();
    await holder.query('SELECT pg_advisory_lock(7275939002)');
    expect(await new NightlyPurge(dataSource, purge({})).run()).toBeUndefined();
    await holder.query('SELECT pg_advisory_unlock(7275939002)');
    await holder.release();
    expect(await new NightlyPurge(dataSource, purge({})).run()).toBeDefined();
  });

  it('is not kept from running by a seeding', async () => {
    const other = services.dataSource.createQueryRunner();
    await other.startTransaction();
    await other.query(`LOCK TABLE servers`);
    const seeding = runCommand(['dist/src/operations/cli/seed.js'], { DATABASE_URL: services.database.url });
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await until(async () => (await sql(waiting)).length > 0);
    const purged = await new NightlyPurge(services.dataSource, purge({})).run();
    await other.rollbackTransaction();
    await other.release();
    expect([(await seeding).code, purged]).toEqual([0, expect.anything()]);
  }, 60_000);

  it('is a command too', async () => {
    const { id } = await say('one');
    await say('two');
    await remove(id);
    await age(3);
    const env = { DATABASE_URL: services.database.url, RETENTION_TOMBSTONE_DAYS: '2' };
    const { code, stdout } = await runCommand(['dist/src/operations/cli/purge.js'], env);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Gone: [1-9]\d* deleted messages/)]);
    expect(await seqs()).toEqual([2]);
  }, 60_000);

  it('knows every row that would keep a message from going, or go with it', async () => {
    const keys = await sql(
      `SELECT conname FROM pg_constraint WHERE contype = 'f' AND confrelid = 'messages'::regclass ORDER BY conname`,
    );
    const harmless = [
      'attachments_message_fk',
      'mentions_message_fk',
      'message_revisions_message_fk',
      'reactions_message_fk',
      'replies_asked_fk',
      'replies_message_fk',
    ];
    const judged = [...harmless, 'replies_replaces_fk', 'messages_reply_fk', 'threads_message_fk'].sort();
    expect(keys.map(({ conname }) => conname)).toEqual(judged);
  });

  it('comes at three in the morning, UTC', () => {
    expect(untilNight(new Date('2026-03-14T02:59:00Z'))).toBe(60_000);
    expect(untilNight(new Date('2026-03-14T03:00:00Z'))).toBe(86_400_000);
  });
});
