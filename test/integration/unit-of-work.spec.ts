import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Database } from '../../src/platform/database/database.js';
import { UnitOfWork, type Tx } from '../../src/platform/database/unit-of-work.js';
import { EventBus } from '../../src/platform/events/event-bus.js';
import { defineEvent } from '../../src/platform/events/event.js';
import { databaseProblem } from '../../src/platform/http/database-problem.js';
import { type Services, servicesOnOwnDatabase } from '../support/services.js';
import { until } from '../support/until.js';

const Happened = defineEvent<{ what: string }>('test.happened');

describe('a unit of work', () => {
  let services: Services;
  let work: UnitOfWork;
  let bus: EventBus;
  let heard: string[];
  const names = async () =>
    (await services.dataSource.query<{ slug: string }[]>('SELECT slug FROM agents ORDER BY slug')).map(
      ({ slug }) => slug,
    );
  const insert = (tx: Tx, slug: string) =>
    tx.query(`INSERT INTO agents (id, slug, name, kind) VALUES (gen_random_uuid(), $1, $1, 'echo')`, [slug]);

  beforeAll(async () => {
    services = await servicesOnOwnDatabase({ deadlocks: 3 });
    work = services.app.get(UnitOfWork);
    bus = services.app.get(EventBus);
    bus.on(Happened, ({ what }) => heard.push(what));
  }, 60_000);
  beforeEach(() => (heard = []));
  afterAll(() => services.close());

  it('announces what it did after the commit, in order, and not before', async () => {
    let seenFromOutside: string[] = [];
    bus.on(Happened, () => void names().then((list) => (seenFromOutside = list)));
    await work.run(async (tx) => {
      await insert(tx, 'committed');
      tx.announce(Happened([], { what: 'one' }));
      tx.announce(Happened([], { what: 'two' }));
      await sleep(5);
      expect(heard).toEqual([]);
    });
    expect(heard).toEqual(['one', 'two']);
    while (seenFromOutside.length === 0) await sleep(1);
    expect(seenFromOutside).toContain('committed');
  });

  it('announces and keeps nothing when it is rolled back', async () => {
    const failing = work.run(async (tx) => {
      await insert(tx, 'rolled-back');
      tx.announce(Happened([], { what: 'never' }));
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(heard).toEqual([]);
    expect(await names()).not.toContain('rolled-back');
  });

  it('that loses its connection between two statements is told as a database that is away', async () => {
    const broken: unknown = await work
      .run(async (tx) => {
        const backend = await tx.one<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        const gone = once(await tx.connection(), 'error');
        await services.dataSource.query('SELECT pg_terminate_backend($1)', [backend?.pid]);
        await gone;
        await insert(tx, 'too-late');
      })
      .catch((error: unknown) => error);
    expect(databaseProblem(broken)).toMatchObject({ status: 503, code: 'unavailable' });
    expect(await names()).not.toContain('too-late');
  });

  it.each([
    ['runs again', 'where a deadlock has ended it, and announces what it did once', false],
    ['does not run again', 'where it had the connection itself', true],
  ])('%s %s', async (_, __, bare) => {
    const [one, two] = [bare ? 'bare-one' : 'one', bare ? 'bare-two' : 'two'];
    await work.run(async (tx) => void (await insert(tx, one), await insert(tx, two)));
    heard = [];
    let arrived = 0;
    const both = (first: string, second: string) =>
      work.run(async (tx) => {
        if (bare) await tx.connection();
        tx.announce(Happened([], { what: first }));
        await tx.query(`UPDATE agents SET name = 'x' WHERE slug = $1`, [first]);
        arrived += 1;
        while (arrived < 2) await sleep(5);
        await tx.query(`UPDATE agents SET name = 'y' WHERE slug = $1`, [second]);
      });
    const ended = await Promise.allSettled([both(one, two), both(two, one)]);
    const failed = ended.filter(({ status }) => status === 'rejected');
    expect(failed).toEqual(
      bare ? [expect.objectContaining({ reason: expect.objectContaining({ code: '40P01' }) })] : [],
    );
    expect(heard.sort()).toEqual(bare ? [expect.any(String)] : [one, two]);
  });

  it('is no more patient than one statement by itself, which a deadlock ends and which runs again', async () => {
    const holder = services.dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query(`UPDATE agents SET name = 'held' WHERE slug = 'two'`);
    const lock = `SELECT pg_advisory_xact_lock(7), (SELECT 1 FROM agents WHERE slug = 'two' FOR UPDATE) AS got`;
    const one = services.app.get(Database).one(lock);
    const waits = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await until(async () => (await services.dataSource.query<unknown[]>(waits)).length > 0);
    // Whoever looks for a circle first is ended: not the one that has waited longest here.
    await holder.query(`SET LOCAL deadlock_timeout = '60s'`);
    await holder.query(`SELECT pg_advisory_xact_lock(7)`);
    await holder.commitTransaction();
    await holder.release();
    expect(await one).toMatchObject({ got: 1 });
  });

  it('announces nothing when the commit itself is refused', async () => {
    await services.dataSource.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused at commit'; END $$;
      CREATE CONSTRAINT TRIGGER late AFTER INSERT ON agents DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.slug = 'late') EXECUTE FUNCTION refuse()`);
    const failing = work.run(async (tx) => {
      await insert(tx, 'late');
      tx.announce(Happened([], { what: 'never' }));
    });
    await expect(failing).rejects.toThrow('refused at commit');
    expect(heard).toEqual([]);
  });

  it('refuses another one inside itself, and rolls back', async () => {
    const nested = work.run(async (tx) => {
      await insert(tx, 'outer');
      await work.run((inner) => insert(inner, 'inner'));
    });
    await expect(nested).rejects.toThrow('do not nest');
    expect(await names()).not.toContain('outer');
  });

  it('lets a statement take its time that deletes, and that one alone', async () => {
    const asked = work.run(async (tx) => {
      const connection = (await tx.connection()) as unknown as { connectionParameters: { query_timeout: number } };
      connection.connectionParameters.query_timeout = 200;
      await tx.delete(`SELECT pg_sleep(0.5)`, []);
      return tx.query(`SELECT pg_sleep(10)`);
    });
    await expect(asked).rejects.toThrow('Query read timeout');
  });

  it('leaves a handle behind that is of no use', async () => {
    let kept: Tx | undefined;
    await work.run((tx) => Promise.resolve((kept = tx)));
    await expect(kept?.query('SELECT 1')).rejects.toThrow('has ended');
    expect(() => kept?.announce(Happened([], { what: 'late' }))).toThrow('has ended');
    expect(() => kept?.manager).toThrow('has ended');
  });

  it('gives its connection back, however it ends', async () => {
    await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        work.run((tx) => (i % 2 ? Promise.reject(new Error('no')) : tx.query('SELECT 1'))).catch(() => undefined),
      ),
    );
    const pool = (services.dataSource.driver as unknown as { master: { totalCount: number; idleCount: number } })
      .master;
    // What beats beside (heartbeats, sweeps) holds a connection for a moment; one that is lost never comes back.
    await until(() => Promise.resolve(pool.idleCount === pool.totalCount));
  });

  it('tells all listeners, also when one of them fails', () => {
    const Fragile = defineEvent<object>('test.fragile');
    let told = false;
    bus.on(Fragile, () => {
      throw new Error('a listener fails');
    });
    bus.on(Fragile, () => (told = true));
    bus.publish(Fragile([], {}));
    expect(told).toBe(true);
  });
});

describe('an error of the database', () => {
  let services: Services;
  beforeAll(async () => (services = await servicesOnOwnDatabase()), 60_000);
  afterAll(() => services.close());

  it.each([
    [
      'a unique index',
      `INSERT INTO agents (id, slug, name, kind) VALUES (gen_random_uuid(), 'echo', 'x', 'echo')`,
      409,
      'conflict',
    ],
    [
      'a foreign key',
      `INSERT INTO memberships (server_id, user_id, role) VALUES (gen_random_uuid(), gen_random_uuid(), 'ADMIN')`,
      409,
      'conflict',
    ],
    [
      'a check',
      `INSERT INTO agents (id, slug, name, kind) VALUES (gen_random_uuid(), 'y', 'y', 'oracle')`,
      400,
      'validation_failed',
    ],
    ['a missing value', `INSERT INTO agents (id) VALUES (gen_random_uuid())`, 400, 'validation_failed'],
    ['a malformed value', `SELECT 'no'::uuid`, 400, 'validation_failed'],
    ['an unstorable escape', `SELECT '"\\u0000"'::jsonb ->> 0`, 400, 'validation_failed'],
    ['an unstorable byte', `SELECT convert_from('\\x00', 'UTF8')`, 400, 'validation_failed'],
    ['a number out of range', `SELECT 99999999999::int`, 400, 'validation_failed'],
    ['a serialisation failure', raise('40001'), 503, 'unavailable'],
    ['a deadlock', raise('40P01'), 503, 'unavailable'],
    ['a lock that is not to be had', raise('55P03'), 503, 'unavailable'],
    ['a read-only database', `BEGIN READ ONLY; DELETE FROM agents`, 503, 'unavailable'],
    ['a full disk', raise('53100'), 507, 'storage_full'],
    ['too many connections', raise('53300'), 503, 'unavailable'],
    ['a shutdown', `SELECT pg_terminate_backend(pg_backend_pid())`, 503, 'unavailable'],
  ])('is told as what it means: %s', async (_, sql, status, code) => {
    const runner = services.dataSource.createQueryRunner();
    const error: unknown = await runner.query(sql).catch((thrown: unknown) => thrown);
    await runner.query('ROLLBACK').catch(() => undefined);
    await runner.release();
    expect(databaseProblem(error)).toMatchObject({ status, code });
  });

  it.each(['query', 'prepared'] as const)(
    'is told as such where a transaction has lost its connection: %s',
    async (by) => {
      const broken = services.app.get(UnitOfWork).run(async (tx) => {
        const lost = once(await tx.connection(), 'error');
        await tx[by](`SELECT pg_terminate_backend(pg_backend_pid())`, []).catch(() => undefined);
        await lost;
        await tx[by](`SELECT 1`, []);
      });
      const error: unknown = await broken.catch((thrown: unknown) => thrown);
      expect(databaseProblem(error)).toMatchObject({ status: 503, code: 'unavailable' });
    },
  );

  it('that is not foreseen is no problem of the caller', () => {
    expect(databaseProblem(Object.assign(new Error('syntax'), { code: '42601' }))).toBeUndefined();
    expect(databaseProblem(new TypeError('a bug'))).toBeUndefined();
    expect(databaseProblem(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }))).toMatchObject({ status: 503 });
    expect(databaseProblem(new Error('Connection terminated unexpectedly'))).toMatchObject({ status: 503 });
  });
});

function raise(state: string): string {
  return `DO $$ BEGIN RAISE EXCEPTION 'as if' USING ERRCODE = '${state}'; END $$`;
}
