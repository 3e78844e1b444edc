import 'dotenv/config';
import path from 'node:path';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../../ormconfig.js';
import { recordedMigrations } from '../../legacy/import/sqlite-migration.js';
import { loadConfig } from '../../platform/config/config.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { EventBus } from '../../platform/events/event-bus.js';
import { PostgresTools } from '../backup/postgres-tools.js';
import { restoreBackup } from '../backup/restore-backup.js';
import { writeBackup } from '../backup/write-backup.js';
import { refuseUnknown, runCommand } from './run-command.js';

interface House {
  dataSource: DataSource;
  databaseUrl: string;
  dataDir: string;
  tools: PostgresTools | undefined;
}

const COMMANDS: Record<string, (house: House, folder: string) => Promise<string>> = { backup, restore };

await runCommand(() => {
  const [command = '', folder = '', ...others] = process.argv.slice(2);
  const work = COMMANDS[command];
  if (!work) throw new Error(`Say what to do: ${Object.keys(COMMANDS).join(', ')}.`);
  if (!folder) throw new Error(`Say where: npm run ${command} -- <folder>.`);
  refuseUnknown(command, others);
  return async (databaseUrl) => {
    const { dataDir, pgTools } = loadConfig();
    const tools = await PostgresTools.find(pgTools, process.env);
    // Few connections: a restore asks whether anybody else has one.
    const dataSource = await new DataSource(dataSourceOptions(databaseUrl, command === 'restore' ? 2 : 1)).initialize();
    try {
      return await work({ dataSource, databaseUrl, dataDir, tools }, path.resolve(folder));
    } finally {
      await dataSource.destroy();
    }
  };
});

async function backup({ dataSource, tools, ...where }: House, folder: string): Promise<string> {
  const server = await majorOf(dataSource);
  // What another version's pg_dump writes may not load into this server, and an older one cannot read it at all.
  const fitting = tools?.major === server ? tools : undefined;
  const work = new UnitOfWork(dataSource, new EventBus());
  const { tables, files, dump } = await writeBackup({ ...where, work, tools: fitting }, folder);
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return (
    `${folder} holds ${dump ? `all tables, by ${dump.by},` : `${rows} rows of ${tables.length} tables`} and ${files.length} files.\n` +
    (dump ? '' : `The tables are in Parley's own format: ${whyOwn(tools, server)}.\n`) +
    'Keys are not in it: keep ENCRYPTION_KEY (or DATA_DIR/encryption.key) apart. Without it no provider key and no\n' +
    'second factor can be opened again.'
  );
}

function whyOwn(tools: PostgresTools | undefined, server: number): string {
  return tools
    ? `pg_dump is of version ${tools.version}, and PostgreSQL of ${server}`
    : 'no pg_dump and pg_restore were found on PATH or in PG_TOOLS, or PG_TOOLS is off';
}

async function majorOf(dataSource: DataSource): Promise<number> {
  const [{ version }] = await dataSource.query<[{ version: string }]>(
    `SELECT current_setting('server_version_num') AS version`,
  );
  return Math.floor(Number(version) / 10_000);
}

async function restore(house: House, folder: string): Promise<string> {
  const { tables, files, dump, createdAt } = await restoreBackup({ ...house, carriedOver: recordedMigrations }, folder);
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return (
    `Everything is as it was at ${createdAt}: ${dump ? 'all tables' : `${rows} rows`} and ${files.length} files.\n` +
    'Nobody is signed in. Start the app with the ENCRYPTION_KEY of that time.'
  );
}
