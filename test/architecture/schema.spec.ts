import { DataSource, MigrationExecutor } from 'typeorm';
import { dataSourceOptions } from '../../ormconfig.js';
import { schemaOf } from '../support/schema-of.js';
import { createEmptyDatabase, type TestDatabase } from '../support/test-database.js';
import { runCommand } from '../support/run-app.js';

const MIGRATIONS = 'dist/src/operations/cli/migrations.js';

describe('the schema', () => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeEach(async () => {
    database = await createEmptyDatabase();
    dataSource = await new DataSource(dataSourceOptions(database.url, 4)).initialize();
  });

  afterEach(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  const differences = async () =>
    (await dataSource.driver.createSchemaBuilder().log()).upQueries.map(({ query }) => query);

  it('that the migrations make is the one that the entities describe', async () => {
    await dataSource.runMigrations();
    expect(await differences()).toEqual([]);
    await dataSource.query(`ALTER TABLE sessions DROP COLUMN title`);
    expect(await differences()).toHaveLength(1);
  });

  it('goes up migration by migration, back by the same steps, and up again', async () => {
    const now = () => schemaOf((sql) => dataSource.query(sql));
    const runner = dataSource.createQueryRunner();
    const executor = new MigrationExecutor(dataSource, runner);
    const done = await executor.getPendingMigrations();
    const steps: string[][] = [];
    for (const migration of done) {
      steps.push(await now());
      await executor.executeMigration(migration);
    }
    await runner.release();
    for (const { name } of done.toReversed()) {
      await dataSource.undoLastMigration();
      const before = steps.pop() ?? [];
      // The first of all makes what is left when all are gone: TypeORM's own table.
      if (steps.length > 0) expect([name, difference(await now(), before)]).toEqual([name, []]);
    }
    const left = await dataSource.query(
      `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')
       UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace`,
    );
    expect(left).toEqual([{ relname: 'migrations' }]);
    expect(await dataSource.runMigrations()).toHaveLength(done.length);
    expect(await differences()).toEqual([]);
  });

  it('is made once when several start at the same moment', async () => {
    const env = { DATABASE_URL: database.url };
    const runs = await Promise.all(Array.from({ length: 3 }, () => runCommand([MIGRATIONS, 'run'], env)));
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
    const applied = runs.flatMap(({ stdout }) => stdout.match(/^applied .*/gm) ?? []);
    expect(applied).toHaveLength(dataSource.migrations.length);
    expect(new Set(applied).size).toBe(applied.length);
  }, 60_000);

  it('is shown, reverted and compared from the command line', async () => {
    const env = { DATABASE_URL: database.url };
    const command = async (...args: string[]) => (await runCommand([MIGRATIONS, ...args], env)).stdout.trim();
    expect(await command('show')).toMatch(/^\[ \] CreateUsers/);
    await command('run');
    expect(await command('show')).not.toContain('[ ]');
    expect(await command('generate', 'Nothing')).toContain('Nothing to generate');
    expect(await command('revert')).toMatch(/^reverted /);
    expect(await command('show')).toMatch(/\[ \] \w+$/);
  }, 60_000);

  it('that is old is refused with MIGRATIONS=manual, and the command is named', async () => {
    const env = { DATABASE_URL: database.url, MIGRATIONS: 'manual' };
    const { code, stderr } = await runCommand(['dist/src/main.js'], { ...env, PORT: '0' });
    expect(code).toBe(1);
    expect(stderr).toContain('npm run migration:run');
    expect(await dataSource.query(`SELECT 1 FROM pg_class WHERE relname = 'users'`)).toEqual([]);
  }, 60_000);
});

function difference(now: string[], before: string[]): string[] {
  const missing = before.filter((line) => !now.includes(line)).map((line) => `gone: ${line}`);
  return [...now.filter((line) => !before.includes(line)).map((line) => `left: ${line}`), ...missing];
}
