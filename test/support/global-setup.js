import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { importBuilt, startPostgres } from './postgres-server.js';

/** One server and one migrated template for the whole run; each test file clones the template. */
export default async function globalSetup() {
  const server = await startPostgres();
  console.log(`\nTests run on ${server.description}.`);

  const prefix = `parley_test_${process.pid}_${randomBytes(3).toString('hex')}`;
  const template = `${prefix}_template`;
  globalThis.parleyTestRun = { server, prefix };
  try {
    await execute(server.url, `CREATE DATABASE ${template}`);
    await migrate(server.url, template);
    // A template that anybody is connected to cannot be cloned.
    await execute(server.url, `ALTER DATABASE ${template} ALLOW_CONNECTIONS false`);
  } catch (error) {
    await cleanUp();
    throw error;
  }

  process.env.PARLEY_TEST_SERVER_URL = server.url;
  process.env.PARLEY_TEST_PREFIX = prefix;
}

/** Drops whatever this run has left on the server, which may be somebody's own, and stops it if the run started it. */
export async function cleanUp() {
  const { server, prefix } = globalThis.parleyTestRun;
  try {
    const names = await execute(server.url, `SELECT datname FROM pg_database WHERE starts_with(datname, '${prefix}')`);
    for (const { datname } of names) await execute(server.url, `DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`);
  } finally {
    await server.stop();
  }
}

async function migrate(serverUrl, database) {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  const { dataSourceOptions } = await importBuilt('ormconfig.js');
  const { DataSource } = await import('typeorm');
  const dataSource = new DataSource(dataSourceOptions(url.href));
  try {
    await dataSource.initialize();
    await dataSource.runMigrations();
  } catch (error) {
    throw new Error(`The migrations fail on an empty database, so no test can run.\n${explain(error)}`, {
      cause: error,
    });
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
  }
}

function explain(error) {
  const { message, detail, hint, query } = error;
  return [message, detail, hint, query && `in: ${query}`].filter(Boolean).join('\n');
}

async function execute(url, sql) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
