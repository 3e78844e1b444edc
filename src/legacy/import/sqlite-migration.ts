import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Client } from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { importSource, type ImportOptions, type ImportReport } from './importer.js';
import { revertImport } from './revert.js';
import { SourceError } from './source.js';
import { openSqlite } from './sources.js';

type MigrationClass = new () => MigrationInterface;

export interface ImportListener {
  listeners: Pick<ImportOptions, 'onFound' | 'onReject' | 'onProgress'>;
  /** Before what was imported is committed. */
  finish(report: ImportReport): Promise<void>;
  fail(error: unknown): void;
}

const PREFIX = 'CarryLegacySqlite';

/** TypeORM sorts by the thirteen digits at the end of the name: these come after every migration of the schema. */
const FIRST = 2_000_000_000_000;

/**
 * The carrying over of an SQLite file as a migration. Its name is made of what the file holds: the same file is the
 * same migration, and one that has grown is another, which carries what is new. Throws SourceError where there is
 * no such file.
 */
export async function sqliteMigration(file: string, listener: ImportListener): Promise<MigrationClass> {
  const name = `${PREFIX}${FIRST + Number.parseInt((await digest(file)).slice(0, 10), 16)}`;
  return migrationClass(name, async (runner) => {
    const source = await openSqlite(file);
    try {
      const options = { migration: name, ...listener.listeners };
      await listener.finish(await importSource(await clientOf(runner), source, options));
    } catch (error) {
      listener.fail(error);
      throw error;
    } finally {
      await source.close();
    }
  });
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

/** What the file and its log hold. */
async function digest(file: string): Promise<string> {
  const hash = createHash('sha256');
  for (const part of [file, `${file}-wal`]) {
    const found = await stat(part).catch(() => undefined);
    if (part === file && !found?.isFile()) throw new SourceError(`${file} cannot be read: is the path right?`);
    if (found) for await (const chunk of createReadStream(part)) hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}
