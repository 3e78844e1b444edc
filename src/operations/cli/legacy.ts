import 'dotenv/config';
import { parseArgs } from 'node:util';
import type { Client } from 'pg';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../../ormconfig.js';
import { assignImport } from '../../legacy/import/assign.js';
import { Import } from '../../legacy/import/import.entity.js';
import { importSource } from '../../legacy/import/importer.js';
import { revertImport } from '../../legacy/import/revert.js';
import { SourceError } from '../../legacy/import/source.js';
import { SOURCES } from '../../legacy/import/sources.js';
import { loadConfig } from '../../platform/config/config.js';
import { readySchema } from '../../platform/database/migrate.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { EventBus } from '../../platform/events/event-bus.js';
import { UUID } from '../../platform/http/id.pipe.js';
import { HELP } from './legacy-help.js';
import { ImportConsole } from './legacy-report.js';
import { refuseUnknown, runCommand } from './run-command.js';

interface House {
  dataSource: DataSource;
  work: UnitOfWork;
}

type Work = (house: House) => Promise<string>;

/** Each reads the words behind it, and gives what is to be done. */
const COMMANDS: Record<string, (words: string[]) => Work> = { import: carryOver, list, revert, assign };

if (process.argv.includes('--help')) process.stdout.write(`${HELP}\n`);
else await runCommand(read);

function read(): (url: string) => Promise<string> {
  const [command = '', ...words] = process.argv.slice(2);
  const work = COMMANDS[command]?.(words);
  if (!work) throw new Error(`Say what to do: ${Object.keys(COMMANDS).join(', ')}; --help says more.`);
  return async (url) => {
    const dataSource = await new DataSource(dataSourceOptions(url, 4)).initialize();
    try {
      await readySchema(dataSource, loadConfig().migrations);
      return await work({ dataSource, work: new UnitOfWork(dataSource, new EventBus()) });
    } finally {
      await dataSource.destroy();
    }
  };
}

function carryOver(args: string[]): Work {
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
  const { from = '', source: location, owner, label, rejects, 'dry-run': isRehearsal } = values;
  const open = SOURCES[from];
  if (!open) throw new SourceError(`Give --from as one of ${Object.keys(SOURCES).join(', ')}.`);
  if (!location) throw new SourceError('Give --source: a file, a folder or a URL.');
  return async ({ work }) => {
    const source = await open(location, label);
    const told = new ImportConsole(rejects);
    try {
      const importId = await inTransaction(work, async (client) => {
        const report = await importSource(client, source, { owner, isRehearsal, ...told.listeners });
        await told.finish(report);
        return report.importId;
      });
      if (isRehearsal) return 'A rehearsal: nothing was written.';
      return importId ? `Import ${importId}` : 'Nothing new was carried over.';
    } catch (error) {
      told.fail(error);
      throw error;
    } finally {
      await source.close();
    }
  };
}

function list(words: string[]): Work {
  refuseUnknown('legacy:list', words);
  return async ({ dataSource }) => {
    const rows = await dataSource.getRepository(Import).find({ order: { id: 'ASC' } });
    if (rows.length === 0) return 'Nothing has been carried over.';
    return rows
      .map(({ id, source, label, location, migration, createdAt }) =>
        [id, createdAt.toISOString(), source, location, label && `label ${label}`, migration]
          .filter(Boolean)
          .join('  '),
      )
      .join('\n');
  };
}

function revert([importId = '', ...others]: string[]): Work {
  mustBeId(importId);
  refuseUnknown('legacy:revert', others);
  return async ({ dataSource, work }) => {
    const found = await dataSource.getRepository(Import).findOneBy({ id: importId });
    if (found?.migration) {
      throw new SourceError(
        `This import is the migration ${found.migration}: revert it with npm run migration:revert.`,
      );
    }
    const kept = await inTransaction(work, (client) => revertImport(client, importId));
    return [`reverted ${importId}`, ...kept.map((name) => `kept ${name}: it is in use`)].join('\n');
  };
}

function assign(args: string[]): Work {
  const { values, positionals } = parseArgs({ args, options: { to: { type: 'string' } }, allowPositionals: true });
  const [importId = '', ...others] = positionals;
  mustBeId(importId);
  refuseUnknown('legacy:assign', others);
  const { to } = values;
  if (!to) throw new SourceError('Give --to: the username of who takes it.');
  return async ({ work }) => {
    const { sessions, messages } = await inTransaction(work, (client) => assignImport(client, importId, to));
    return `handed ${sessions} sessions and ${messages} messages to ${to}`;
  };
}

function mustBeId(importId: string): void {
  if (!UUID.test(importId)) throw new SourceError('Give the id of an import: see npm run legacy:list.');
}

/** COPY and cursors want the connection itself. */
function inTransaction<T>(work: UnitOfWork, act: (client: Client) => Promise<T>): Promise<T> {
  return work.run(async (tx) => act((await tx.connection()) as unknown as Client));
}
