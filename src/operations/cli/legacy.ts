import 'dotenv/config';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../../ormconfig.js';
import { assignImport } from '../../legacy/import/assign.js';
import { importSource, MismatchError } from '../../legacy/import/importer.js';
import { revertImport } from '../../legacy/import/revert.js';
import { type Source, SourceError } from '../../legacy/import/source.js';
import { SOURCES } from '../../legacy/import/sources.js';
import { loadConfig } from '../../platform/config/config.js';
import { readySchema } from '../../platform/database/migrate.js';
import { comparisonText, doneText, foundText, writeRejects } from './legacy-report.js';
import { progress } from './legacy-progress.js';
import { runCommand } from './run-command.js';

const REJECTED = 2;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const COMMANDS: Record<string, (client: Client, args: string[]) => Promise<string>> = {
  import: carryOver,
  list,
  revert,
  assign,
};

await runCommand(async (url) => {
  const [command = '', ...args] = process.argv.slice(2);
  const work = COMMANDS[command];
  if (!work) throw new Error(`Say what to do: ${Object.keys(COMMANDS).join(', ')}.`);
  const dataSource = await new DataSource(dataSourceOptions(url, 4)).initialize();
  await readySchema(dataSource, loadConfig().migrations).finally(() => dataSource.destroy());
  const client = new Client({ connectionString: url, application_name: 'parley-legacy' });
  await client.connect();
  try {
    return await work(client, args);
  } catch (error) {
    if (error instanceof MismatchError && error.conversations.length > 0) {
      process.stdout.write(`${comparisonText(error.conversations.filter(({ matches }) => !matches))}\n`);
    }
    throw error;
  } finally {
    await client.end();
  }
});

async function carryOver(client: Client, args: string[]): Promise<string> {
  const { values } = parseArgs({
    args,
    options: {
      from: { type: 'string' },
      source: { type: 'string' },
      owner: { type: 'string' },
      label: { type: 'string' },
      rejects: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
    },
  });
  const open = SOURCES[values.from ?? ''];
  if (!open) throw new SourceError(`Give --from as one of ${Object.keys(SOURCES).join(', ')}.`);
  if (!values.source) throw new SourceError('Give --source: a file, a folder or a URL.');
  const source = await open(values.source, values.label);
  try {
    return await carryFrom(client, source, values.owner, values['dry-run'], values.rejects);
  } finally {
    await source.close();
  }
}

async function carryFrom(
  client: Client,
  source: Source,
  owner: string | undefined,
  isRehearsal: boolean,
  rejectsFile: string | undefined,
): Promise<string> {
  const total = Object.values(await source.count()).reduce((sum, count) => sum + count, 0);
  const shown = progress(total);
  await client.query('BEGIN');
  try {
    const report = await importSource(client, source, {
      owner,
      onProgress: (rows) => shown.at(rows),
      onFound: (found) => {
        shown.stop();
        process.stdout.write(`${foundText(found)}\n`);
      },
    });
    const rejected = report.rejects.length > 0;
    const note = rejected
      ? `\n${report.rejects.length} row(s) rejected: ${await writeRejects(report.rejects, rejectsFile)}`
      : '';
    await client.query(isRehearsal ? 'ROLLBACK' : 'COMMIT');
    if (rejected) process.exitCode = REJECTED;
    return isRehearsal ? `A rehearsal: nothing was written.${note}` : `${doneText(report)}${note}`;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    shown.stop();
  }
}

async function list(client: Client): Promise<string> {
  const { rows } = await client.query<{
    id: string;
    source: string;
    location: string;
    migration: string | null;
    at: Date;
  }>(`SELECT id, source, location, migration, created_at AS at FROM imports ORDER BY id`);
  if (rows.length === 0) return 'Nothing has been carried over.';
  return rows
    .map(({ id, source, location, migration, at }) =>
      [id, at.toISOString(), source, location, migration ?? ''].join('  ').trimEnd(),
    )
    .join('\n');
}

async function revert(client: Client, [importId = '']: string[]): Promise<string> {
  mustBeId(importId);
  const { rows } = await client.query<{ migration: string | null }>(`SELECT migration FROM imports WHERE id = $1`, [
    importId,
  ]);
  if (rows[0]?.migration) {
    throw new SourceError(
      `This import is the migration ${rows[0].migration}: revert it with npm run migration:revert.`,
    );
  }
  const { kept } = await inTransaction(client, () => revertImport(client, importId));
  return [`reverted ${importId}`, ...kept.map((name) => `kept the account ${name}: it is in use`)].join('\n');
}

async function assign(client: Client, args: string[]): Promise<string> {
  const { values, positionals } = parseArgs({ args, options: { to: { type: 'string' } }, allowPositionals: true });
  const [importId = ''] = positionals;
  mustBeId(importId);
  if (!values.to) throw new SourceError('Give --to: the username of who takes it.');
  const { to } = values;
  const { sessions, messages } = await inTransaction(client, () => assignImport(client, importId, to));
  return `handed ${sessions} sessions and ${messages} messages to ${to}`;
}

function mustBeId(importId: string): void {
  if (!UUID.test(importId)) throw new SourceError('Give the id of an import: see npm run legacy:list.');
}

async function inTransaction<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  try {
    const result = await work();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
