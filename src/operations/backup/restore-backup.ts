import { createReadStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { from as copyFrom } from 'pg-copy-streams';
import { DataSource, type MigrationInterface } from 'typeorm';
import { migrate } from '../../platform/database/migrate.js';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work.js';
import { EventBus } from '../../platform/events/event-bus.js';
import { advanceSequences, appliedMigrations, foreignKeys, keptTables, quoted } from './catalog.js';
import { sha256Of } from './checked-file.js';
import { putFilesBack } from './data-files.js';
import { loadDump } from './dump.js';
import { jumpRevs } from './jump-revs.js';
import { BackupError, type Manifest, readManifest, type StoredTable } from './manifest.js';
import type { PostgresTools } from './postgres-tools.js';

/** Where a backup is brought to, and with what. */
export interface Target {
  dataSource: DataSource;
  databaseUrl: string;
  dataDir: string;
  tools: PostgresTools | undefined;
  /** Those of these names by which old data was carried over: they are in no release, and do nothing any more. */
  carriedOver: (names: string[]) => (new () => MigrationInterface)[];
}

/**
 * Brings a backup into an empty database: its schema as it was, its rows, and then what this release has added since.
 * Nobody is signed in afterwards. Throws BackupError, and changes nothing, where the backup is damaged or of a newer
 * release, where the database is not empty, or where an app is on it.
 */
export async function restoreBackup(target: Target, folder: string): Promise<Manifest> {
  const { dataSource, dataDir } = target;
  const manifest = await readManifest(folder);
  await mustBeWhole(manifest, folder);
  mustBeKnown(manifest, target);
  const tools = toolsFor(manifest, target);
  const work = new UnitOfWork(dataSource, new EventBus());
  await work.run((tx) => mustBeEmpty(tx, manifest));
  if (!manifest.dump) await migrateAsOf(manifest, target);
  await putFilesBack(manifest.files, folder, dataDir);
  if (manifest.dump && tools) await loadDump(manifest.dump, folder, tools, target.databaseUrl, work);
  else await work.run((tx) => load(tx, manifest, folder));
  await migrate(dataSource);
  return manifest;
}

async function mustBeWhole({ tables, dump, files }: Manifest, folder: string): Promise<void> {
  for (const { file, sha256 } of [...tables, ...(dump ? [dump] : []), ...files]) {
    const found = await sha256Of(path.join(folder, file)).catch(() => undefined);
    if (found !== sha256)
      throw new BackupError(`The backup is damaged: ${file} is ${found ? 'not what it was' : 'gone'}.`);
  }
}

function mustBeKnown({ migrations, version }: Manifest, { dataSource, carriedOver }: Target): void {
  const carried = carriedOver(migrations).map((migration) => new migration());
  const known = new Set([...dataSource.migrations, ...carried].map(({ name }) => name));
  const unknown = migrations.find((name) => !known.has(name));
  if (unknown)
    throw new BackupError(`The backup is of release ${version}, which has ${unknown}: use that or a newer one.`);
}

/** An older pg_restore cannot read what a newer pg_dump wrote. */
function toolsFor({ dump }: Manifest, { tools }: Target): PostgresTools | undefined {
  if (!dump || (tools && tools.major >= Number.parseInt(dump.by.replace('pg_dump ', ''), 10))) return tools;
  const have = tools ? `here is ${tools.version}` : 'here is none that may be used';
  throw new BackupError(
    `The backup is by ${dump.by}. It takes a pg_restore of that version or a newer one, on PATH or in PG_TOOLS; ${have}.`,
  );
}

async function mustBeEmpty(tx: Tx, { migrations, dump }: Manifest): Promise<void> {
  const others = await tx.one<{ count: number }>(
    `SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'parley' AND pid <> pg_backend_pid()`,
  );
  if (others && others.count > 0) throw new BackupError('Something is connected to the database: stop the app first.');
  const tables = await keptTables(tx);
  if (tables.length === 0) return;
  if (dump) throw new BackupError('The database is not empty: it has tables, and the backup brings its own.');
  const isOurs = tables.some(({ table }) => table === 'conversations');
  const applied = isOurs ? await appliedMigrations(tx) : [];
  if (!isOurs || applied.some((name) => !migrations.includes(name))) {
    throw new BackupError('The database has tables that the backup does not have: give an empty one.');
  }
  const rows = await tx.query(`(SELECT 1 FROM users LIMIT 1) UNION ALL (SELECT 1 FROM conversations LIMIT 1)`);
  if (rows.length > 0) throw new BackupError('The database is not empty: a restore overwrites nothing.');
}

/** The schema of the moment of the backup: its rows fit no other. What was carried over as a migration is among the rows. */
async function migrateAsOf({ migrations }: Manifest, { dataSource: house, carriedOver }: Target): Promise<void> {
  const then = house.migrations.filter(({ name }) => name !== undefined && migrations.includes(name));
  const classes = then.map((migration) => migration.constructor as new () => (typeof then)[number]);
  const all = [...classes, ...carriedOver(migrations)];
  const dataSource = await new DataSource({ ...house.options, migrations: all }).initialize();
  try {
    await migrate(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

/** All or nothing. Without foreign keys meanwhile, so that tables come in any order; making them again checks all. */
async function load(tx: Tx, { tables }: Manifest, folder: string): Promise<void> {
  const present = (await keptTables(tx)).map(({ table }) => quoted(table));
  const keys = await foreignKeys(tx);
  for (const { table, name } of keys) await tx.query(`ALTER TABLE ${table} DROP CONSTRAINT ${name}`);
  for (const table of present) await tx.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
  await tx.query(`TRUNCATE ${present.join(', ')}`);
  for (const table of tables) await loadTable(tx, table, folder);
  await jumpRevs(tx);
  await advanceSequences(tx);
  // What the loading has put off is checked now: a table with checks put off cannot be altered.
  await tx.query(`SET CONSTRAINTS ALL IMMEDIATE`);
  for (const table of present) await tx.query(`ALTER TABLE ${table} ENABLE TRIGGER USER`);
  for (const { table, name, definition } of keys) {
    await tx.query(`ALTER TABLE ${table} ADD CONSTRAINT ${name} ${definition}`);
  }
}

async function loadTable(tx: Tx, { table, columns, rows, file }: StoredTable, folder: string): Promise<void> {
  const connection = await tx.connection();
  const copy = connection.query(copyFrom(`COPY ${quoted(table)} (${columns.map(quoted).join(', ')}) FROM STDIN`));
  await pipeline(createReadStream(path.join(folder, file)), createGunzip(), copy);
  if (copy.rowCount !== rows) throw new BackupError(`${table} has ${copy.rowCount} rows, and had ${rows}.`);
}
