import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { createGzip } from 'node:zlib';
import { to as copyTo } from 'pg-copy-streams';
import type { Tx, UnitOfWork } from '../../platform/database/unit-of-work.js';
import { hasCode } from '../../platform/error-code.js';
import { houseVersion } from '../../platform/version.js';
import { appliedMigrations, keptTables, quoted, type TableForm } from './catalog.js';
import { writeChecked } from './checked-file.js';
import { keepFiles } from './data-files.js';
import { writeDump } from './dump.js';
import { BackupError, type Manifest, type StoredTable, writeManifest } from './manifest.js';
import type { PostgresTools } from './postgres-tools.js';

/** What is backed up, and with what. */
export interface Source {
  work: UnitOfWork;
  databaseUrl: string;
  dataDir: string;
  /** None: tables are written as this house does it itself. */
  tools: PostgresTools | undefined;
}

/**
 * Writes the database as it was at one moment, while the app goes on, and then the uploaded files: every message that
 * was acknowledged before is in it. The folder must not be there, nor in
 * `dataDir`; it is taken away again where this fails.
 */
export async function writeBackup(source: Source, folder: string): Promise<Omit<Manifest, 'format'>> {
  mustLieOutside(source.dataDir, folder);
  await makeFolder(folder);
  try {
    const database = await source.work.run((tx) => writeDatabase(tx, source, folder));
    const files = await keepFiles(source.dataDir, folder);
    const manifest = { version: houseVersion(), createdAt: new Date().toISOString(), ...database, files };
    await writeManifest(folder, manifest);
    return manifest;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (hasCode(error, 'EEXIST'))
      throw new Error(`${folder} is there already: a backup wants a new folder.`, { cause: error });
    if (hasCode(error, 'ENOENT'))
      throw new Error(`${path.dirname(folder)} is not there: make it first.`, { cause: error });
    throw error;
  }
}

/** In there it would be taken for uploaded files, and each backup would hold those before. */
function mustLieOutside(dataDir: string, folder: string): void {
  const way = path.relative(dataDir, folder);
  if (!way.startsWith('..') && !path.isAbsolute(way)) {
    throw new BackupError(`${folder} lies in DATA_DIR, which is backed up itself: name a place outside.`);
  }
}

async function writeDatabase(
  tx: Tx,
  { tools, databaseUrl }: Source,
  folder: string,
): Promise<Pick<Manifest, 'migrations' | 'tables' | 'dump'>> {
  // First of all statements: from here on everything is read as of one moment.
  await tx.query(`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY`);
  // The moment lasts as long as this transaction, which waits while pg_dump works.
  await tx.query(`SET LOCAL idle_in_transaction_session_timeout = 0`);
  const migrations = await appliedMigrations(tx);
  if (migrations.length === 0) throw new BackupError('Nothing to back up: no app has run on this database yet.');
  if (tools) return { migrations, tables: [], dump: await writeDump(tx, tools, databaseUrl, folder) };
  return { migrations, tables: await writeTables(tx, folder) };
}

async function writeTables(tx: Tx, folder: string): Promise<StoredTable[]> {
  await mkdir(path.join(folder, 'tables'), { mode: 0o700 });
  const tables: StoredTable[] = [];
  for (const form of await keptTables(tx)) tables.push(await writeTable(tx, form, folder));
  return tables;
}

async function writeTable(tx: Tx, { table, columns }: TableForm, folder: string): Promise<StoredTable> {
  const file = `tables/${table}.copy.gz`;
  const connection = await tx.connection();
  const rows = connection.query(
    copyTo(`COPY (SELECT ${columns.map(quoted).join(', ')} FROM ${quoted(table)}) TO STDOUT`),
  );
  const stored = await writeChecked(rows, path.join(folder, file), createGzip());
  return { table, columns, rows: rows.rowCount, file, ...stored };
}
