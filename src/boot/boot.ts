import type { NestExpressApplication } from '@nestjs/platform-express';
import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../ormconfig.js';
import { createApp } from './create-app.js';
import { type Config, ConfigError, loadConfig } from '../platform/config/config.js';
import { DataFolderInUseError, EmbeddedPostgresError } from '../platform/database/embedded/errors.js';
import { OldSchemaError, readySchema } from '../platform/database/migrate.js';
import { openDatabase, type OpenDatabase } from '../platform/database/open-database.js';
import { welcomeText } from './welcome-text.js';

/** A shutdown that takes longer than this has hung: what is committed is safe anyway. */
const SHUTDOWN_MS = 9_500;
/** What is still asked by then is cut off, so that the rest can end in good order. */
const REQUESTS_MS = 8_000;

/** Connections that wait to be taken: with Node's 511, thousands who come back at once are cut off in the handshake. */
const BACKLOG = 4096;

/** Starts a node: configuration, database, migrations, HTTP and sockets. Exits with 1 and a word where it cannot. */
export async function boot(): Promise<void> {
  let database: OpenDatabase | undefined;
  try {
    const config = loadConfig();
    database = await openDatabase(config, 'app');
    const dataSource = await openDataSource(config, database.url);
    const app = await createApp(config, dataSource);
    stopOnSignals(app, database);
    await app.init();
    const port = await listen(app.getHttpServer(), config);
    process.stdout.write(welcomeText(config, port, database.where));
  } catch (error) {
    process.stderr.write(`${reason(error)}\n`);
    await database?.release();
    process.exit(1);
  }
}

async function openDataSource(config: Config, url: string): Promise<DataSource> {
  const dataSource = await new DataSource(dataSourceOptions(url, config.poolSize)).initialize();
  await readySchema(dataSource, config.migrations);
  return dataSource;
}

/** Nest's own listen takes no backlog. Gives the port. Throws ConfigError where it is nothing to listen on. */
async function listen(server: Server, { port, host }: Config): Promise<number> {
  server.listen({ port, host, backlog: BACKLOG });
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') throw error;
    throw new ConfigError([{ name: 'HOST', message: `and PORT are nothing to listen on: ${error.message}` }]);
  });
  return (server.address() as AddressInfo).port;
}

function stopOnSignals(app: NestExpressApplication, database: OpenDatabase): void {
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
    const server: Server = app.getHttpServer();
    lastAnswers(server);
    // One that has never asked anything, as browsers open them in advance, does not count as idle and would be waited for.
    setTimeout(() => server.closeAllConnections(), REQUESTS_MS).unref();
    void app
      .close()
      .then(() => database.release())
      .then(() => process.exit(0))
      .catch((error: unknown) => {
        process.stderr.write(`${reason(error)}\n`);
        process.exit(1);
      });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/** Who asks again and again over a connection that is kept alive would keep the server from closing. */
function lastAnswers(server: Server): void {
  server.prependListener('request', (_, response: ServerResponse) => response.setHeader('Connection', 'close'));
}

/** What is foreseen is said in its own words; the rest keeps its stack, for whoever must find the fault. */
function reason(error: unknown): string {
  const foreseen = [ConfigError, DataFolderInUseError, EmbeddedPostgresError, OldSchemaError];
  if (foreseen.some((kind) => error instanceof kind)) return (error as Error).message;
  const { code, message, stack } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return `${message}: another program listens there. Set PORT to another one.`;
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND') return `The database cannot be reached: ${message}`;
  return stack ?? message;
}
