import { ConfigError, loadConfig } from '../../platform/config/config.js';
import { EmbeddedPostgresError } from '../../platform/database/embedded/errors.js';
import { openDatabase } from '../../platform/database/open-database.js';

/** `where` says for people which database it is. */
type Work = (databaseUrl: string, where: string) => Promise<string>;

/**
 * Runs a command on the configured database, also beside a running app; prints what it gives, or why it failed. `read`
 * reads the words of the command line: what it refuses is refused before a database is opened.
 */
export async function runCommand(read: () => Work): Promise<void> {
  try {
    const work = read();
    const database = await openDatabase(loadConfig(), 'command');
    try {
      process.stdout.write(`${await work(database.url, database.where)}\n`);
    } finally {
      await database.release();
    }
  } catch (error) {
    process.stderr.write(`${reason(error)}\n`);
    process.exitCode = 1;
  }
}

/** Throws for words that a command does not know: whoever wrote them meant something by them. */
export function refuseUnknown(command: string, words: string[]): void {
  if (words.length > 0) throw new Error(`${command} does not know what ${words.join(' ')} means. Nothing was done.`);
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const foreseen = error instanceof ConfigError || error instanceof EmbeddedPostgresError;
  return foreseen || !process.env.DEBUG ? error.message : (error.stack ?? error.message);
}
