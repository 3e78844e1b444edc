import type { Client } from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { type ImportReport, importSource } from './importer.js';
import { revertImport } from './revert.js';
import { openSqlite } from './sources.js';
import { namedId } from './values.js';

type MigrationClass = new () => MigrationInterface;

const PREFIX = 'CarryLegacySqlite';

/** TypeORM sorts by the number at the end of the name: these come after every migration of the schema. */
const FIRST = 2_000_000_000_000;

/**
 * The carrying over of an SQLite file as a migration. Its name is made of what the file holds: the same file is
 * the same migration, and one that has grown is another, which carries what is new.
 */
export async function sqliteMigration(
  file: string,
  report: (report: ImportReport) => Promise<void>,
): Promise<MigrationClass> {
  const source = await openSqlite(file);
  const counts = await source.count().finally(() => source.close());
  const mark = namedId(source.system, source.label, JSON.stringify(counts)).replaceAll('-', '').slice(0, 10);
  const name = `${PREFIX}${FIRST + Number.parseInt(mark, 16)}`;
  const carryOver = async (runner: QueryRunner): Promise<void> => {
    const opened = await openSqlite(file);
    try {
      await report(await importSource(await clientOf(runner), opened, { migration: name }));
    } finally {
      await opened.close();
    }
  };
  return migrationClass(name, carryOver);
}

/** Those that are recorded in the database: a revert needs them, also where LEGACY_SQLITE is not set any more. */
export function recordedMigrations(names: string[]): MigrationClass[] {
  const carried = names.filter((name) => name.startsWith(PREFIX));
  return carried.map((name) => migrationClass(name, () => Promise.resolve()));
}

function migrationClass(migration: string, carryOver: (runner: QueryRunner) => Promise<void>): MigrationClass {
  return class CarryLegacySqlite implements MigrationInterface {
    name = migration;

    async up(runner: QueryRunner): Promise<void> {
      await carryOver(runner);
    }

    async down(runner: QueryRunner): Promise<void> {
      const client = await clientOf(runner);
      const { rows } = await client.query<{ id: string }>(`SELECT id FROM imports WHERE migration = $1`, [migration]);
      if (rows[0]) await revertImport(client, rows[0].id);
    }
  };
}

/** The connection that TypeORM runs the migration's transaction on. */
async function clientOf(runner: QueryRunner): Promise<Client> {
  return (await runner.connect()) as Client;
}
