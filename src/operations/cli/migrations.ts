import 'dotenv/config';
import { writeFile } from 'node:fs/promises';
import { Client } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { dataSourceOptions } from '../../../ormconfig.js';
import { recordedMigrations, sqliteMigration } from '../../legacy/import/sqlite-migration.js';
import { loadConfig } from '../../platform/config/config.js';
import { migrate, underMigrationLock } from '../../platform/database/migrate.js';
import { ImportConsole } from './legacy-report.js';
import { migrationSource } from './migration-source.js';
import { refuseUnknown, runCommand } from './run-command.js';

const COMMANDS: Record<string, (dataSource: DataSource, name?: string) => Promise<string>> = {
  run,
  revert,
  show,
  generate,
};

await runCommand(() => {
  const [command = '', ...words] = process.argv.slice(2);
  const work = COMMANDS[command];
  if (!work) throw new Error(`Say what to do: ${Object.keys(COMMANDS).join(', ')}.`);
  refuseUnknown(`migration:${command}`, command === 'generate' ? words.slice(1) : words);
  return async (url) => {
    const dataSource = await new DataSource(await withLegacy(dataSourceOptions(url, 4), url)).initialize();
    try {
      return await work(dataSource, words[0]);
    } finally {
      await dataSource.destroy();
    }
  };
});

/** Carrying over an old SQLite file is a migration too: the one that is asked for, and those that are recorded. */
async function withLegacy(options: DataSourceOptions, url: string): Promise<DataSourceOptions> {
  const recorded = await recordedNames(url);
  const file = loadConfig().legacySqlite;
  const asked = file && process.argv[2] === 'run' ? [await sqliteMigration(file, new ImportConsole())] : [];
  const fresh = asked.filter((migration) => !recorded.includes(new migration().name ?? ''));
  return { ...options, migrations: [...(options.migrations as []), ...recordedMigrations(recorded), ...fresh] };
}

async function recordedNames(url: string): Promise<string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ is: boolean }>(`SELECT to_regclass('migrations') IS NOT NULL AS is`);
    if (!rows[0]?.is) return [];
    return (await client.query<{ name: string }>(`SELECT name FROM migrations`)).rows.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

async function run(dataSource: DataSource): Promise<string> {
  const names = await migrate(dataSource);
  return names.length > 0
    ? names.map((name) => `applied ${name}`).join('\n')
    : 'Nothing to do: the schema is up to date.';
}

async function revert(dataSource: DataSource): Promise<string> {
  return underMigrationLock(dataSource, async () => {
    const last = await lastApplied(dataSource);
    if (!last) return 'Nothing to revert: no migration is applied.';
    await dataSource.undoLastMigration({ transaction: 'each' });
    return `reverted ${last}`;
  });
}

async function show(dataSource: DataSource): Promise<string> {
  const applied = new Set(await appliedNames(dataSource));
  return dataSource.migrations
    .map((migration) => migration.name ?? migration.constructor.name)
    .map((name) => `[${applied.has(name) ? 'X' : ' '}] ${name}`)
    .join('\n');
}

/** Writes what the entities have and the database lacks as a new migration, for a developer to read and edit. */
async function generate(dataSource: DataSource, name = 'Change'): Promise<string> {
  const { upQueries, downQueries } = await dataSource.driver.createSchemaBuilder().log();
  if (upQueries.length === 0) return 'Nothing to generate: entities and database agree.';
  const { file, text } = migrationSource(name, upQueries, downQueries);
  await writeFile(file, text);
  return `wrote ${file}: read it, then list it in ormconfig.ts`;
}

async function lastApplied(dataSource: DataSource): Promise<string | undefined> {
  return (await appliedNames(dataSource)).at(-1);
}

async function appliedNames(dataSource: DataSource): Promise<string[]> {
  const runner = dataSource.createQueryRunner();
  try {
    if (!(await runner.hasTable('migrations'))) return [];
    const rows = (await runner.query('SELECT name FROM migrations ORDER BY id')) as { name: string }[];
    return rows.map(({ name }) => name);
  } finally {
    await runner.release();
  }
}
