import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Tx, UnitOfWork } from '../../platform/database/unit-of-work.js';
import { PASSING } from './catalog.js';
import { sha256Of } from './checked-file.js';
import { jumpRevs } from './jump-revs.js';
import type { StoredDump } from './manifest.js';
import type { PostgresTools } from './postgres-tools.js';

const FILE = 'database.dump';
const PLAIN = ['--no-owner', '--no-privileges', '--no-comments'];

/** Has pg_dump write the whole database, as of the moment that the transaction sees, in its own format. */
export async function writeDump(
  tx: Tx,
  tools: PostgresTools,
  databaseUrl: string,
  folder: string,
): Promise<StoredDump> {
  const exported = await tx.one<{ snapshot: string }>(`SELECT pg_export_snapshot() AS snapshot`);
  const file = path.join(folder, FILE);
  const passing = PASSING.filter((table) => table !== 'migrations').map((table) => `--exclude-table-data=${table}`);
  const what = ['--format=custom', `--file=${file}`, `--snapshot=${exported?.snapshot}`];
  await tools.run('pg_dump', [...what, ...PLAIN, ...passing], databaseUrl);
  await chmod(file, 0o600);
  return { file: FILE, bytes: (await stat(file)).size, sha256: await sha256Of(file), by: `pg_dump ${tools.version}` };
}

/**
 * Has pg_restore load a dump into an empty database. Which migrations it has comes last: no app starts on tables that
 * know of none, so none ever meets what was only half restored.
 */
export async function loadDump(
  { file }: StoredDump,
  folder: string,
  tools: PostgresTools,
  databaseUrl: string,
  work: UnitOfWork,
): Promise<void> {
  const archive = path.join(folder, file);
  const entries = (await tools.run('pg_restore', ['--list', archive])).split('\n');
  const isLast = (entry: string) => / TABLE DATA \S+ migrations /.test(entry);
  await load(entries.filter((entry) => !isLast(entry)));
  await work.run(jumpRevs);
  await load(entries.filter(isLast));

  async function load(some: string[]): Promise<void> {
    const place = await mkdtemp(path.join(os.tmpdir(), 'parley-restore-'));
    const list = path.join(place, 'list');
    try {
      await writeFile(list, some.join('\n'));
      const how = ['--single-transaction', '--exit-on-error', `--use-list=${list}`];
      await tools.run('pg_restore', [...how, ...PLAIN, archive], databaseUrl);
    } finally {
      await rm(place, { recursive: true, force: true });
    }
  }
}
