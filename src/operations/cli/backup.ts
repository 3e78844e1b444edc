import 'dotenv/config';
import path from 'node:path';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../../ormconfig.js';
import { loadConfig } from '../../platform/config/config.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { EventBus } from '../../platform/events/event-bus.js';
import { restoreBackup } from '../backup/restore-backup.js';
import { writeBackup } from '../backup/write-backup.js';
import { runCommand } from './run-command.js';

const COMMANDS: Record<string, (dataSource: DataSource, dataDir: string, folder: string) => Promise<string>> = {
  backup,
  restore,
};

await runCommand(async (url) => {
  const [command = '', folder = ''] = process.argv.slice(2);
  const work = COMMANDS[command];
  if (!work) throw new Error(`Say what to do: ${Object.keys(COMMANDS).join(', ')}.`);
  if (!folder) throw new Error(`Say where: npm run ${command} -- <folder>.`);
  // One connection: a restore asks whether anybody else has one.
  const dataSource = await new DataSource(dataSourceOptions(url, command === 'restore' ? 2 : 1)).initialize();
  try {
    return await work(dataSource, loadConfig().dataDir, path.resolve(folder));
  } finally {
    await dataSource.destroy();
  }
});

async function backup(dataSource: DataSource, dataDir: string, folder: string): Promise<string> {
  const { tables, files } = await writeBackup(new UnitOfWork(dataSource, new EventBus()), dataDir, folder);
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return (
    `${folder} holds ${rows} rows of ${tables.length} tables and ${files.length} files.\n` +
    'Keys are not in it: keep ENCRYPTION_KEY (or DATA_DIR/encryption.key) apart. Without it no provider key and no\n' +
    'second factor can be opened again.'
  );
}

async function restore(dataSource: DataSource, dataDir: string, folder: string): Promise<string> {
  const { tables, files, createdAt } = await restoreBackup(dataSource, dataDir, folder);
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return (
    `Everything is as it was at ${createdAt}: ${rows} rows and ${files.length} files.\n` +
    'Nobody is signed in. Start the app with the ENCRYPTION_KEY of that time.'
  );
}
