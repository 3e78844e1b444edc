import { jest } from '@jest/globals';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../ormconfig.js';
import { migrate } from '../../src/platform/database/migrate.js';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** What stands in a database, less what tells when it came there. */
const SCHEMA = `
  SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS line
  FROM information_schema.columns WHERE table_schema = 'public'
  UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
  UNION ALL SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT 'trigger ' || tgname || ' ' || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT 'function ' || oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT 'migration ' || name FROM migrations
  ORDER BY 1`;

describe('migrating an empty database', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let nodes: DataSource[];

  beforeEach(async () => {
    database = await createEmptyDatabase();
    const url = new URL(database.url);
    proxy = await startProxy({ host: url.hostname, port: Number(url.port) });
    url.hostname = '127.0.0.1';
    url.port = String(proxy.port);
    // TypeORM says of each migration that failed that it did.
    jest.spyOn(console, 'log').mockReturnValue();
    nodes = await Promise.all([1, 2].map(() => new DataSource(dataSourceOptions(url.href, 5)).initialize()));
  }, 60_000);
  afterEach(async () => {
    jest.restoreAllMocks();
    await Promise.all(nodes.map((node) => node.destroy()));
    await proxy.stop();
    await database.drop();
  }, 60_000);

  const schemaOf = async ({ url }: TestDatabase) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query<{ line: string }>(SCHEMA);
    await client.end();
    return rows.map(({ line }) => line);
  };
  const whole = async () => {
    const template = await createTestDatabase();
    const schema = await schemaOf(template);
    await template.drop();
    return schema;
  };

  it('is done by one of two that start at once', async () => {
    const done = await Promise.all(nodes.map((node) => migrate(node)));
    expect(done.map(({ length }) => length).sort((a, b) => a - b)[0]).toBe(0);
    expect(await schemaOf(database)).toEqual(await whole());
  }, 60_000);

  it('is completed by the next one, at whichever statement it was cut off', async () => {
    const [node] = nodes as [DataSource];
    const watcher = new pg.Client({ connectionString: database.url });
    await watcher.connect();
    const applied = async () =>
      Number((await watcher.query<{ n: string }>(`SELECT count(*) AS n FROM migrations`)).rows[0]?.n);
    let cuts = 0;
    for (let [finished, done, sent] = [false, 0, 1]; !finished; cuts += 1, sent += 1) {
      proxy.cutAfter(sent);
      finished = await migrate(node).then(
        () => true,
        () => false,
      );
      proxy.thaw();
      const now = await applied().catch(() => 0);
      // The next one is cut off at each of its statements too.
      if (now > done) [done, sent] = [now, 0];
    }
    await watcher.end();
    expect(cuts).toBeGreaterThan(node.migrations.length);
    expect(await schemaOf(database)).toEqual(await whole());
  }, 120_000);
});
