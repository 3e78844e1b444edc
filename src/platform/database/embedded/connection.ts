import { realpath } from 'node:fs/promises';
import { type Socket } from 'node:net';
import pg from 'pg';
import { type Cluster } from './cluster.js';
import { hasCode } from '../../error-code.js';
import { EmbeddedPostgresError } from './errors.js';
import { MEETING_POINT, SUPERUSER } from './names.js';

const PASSING_CODES = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', '53300', '57P01', '57P02', '57P03'];

/** Gives a connection to the cluster's server, or nothing while it does not take any. Throws where it never will. */
export async function tryConnect(cluster: Cluster, port: number): Promise<pg.Client | undefined> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: SUPERUSER,
    password: cluster.password,
    database: MEETING_POINT,
    ssl: false,
    application_name: `parley ${process.pid}`,
    connectionTimeoutMillis: 5_000,
    query_timeout: 30_000,
  });
  // What ends a connection is told by 'end'; an 'error' that nobody listens to would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await refuseStranger(client, cluster);
    return client;
  } catch (error) {
    await closeConnection(client);
    if (isPassing(error)) return undefined;
    throw explain(error, cluster);
  }
}

/** Whether the error is that of a server that is starting, stopping or gone: it may be back in a moment. */
export function isPassing(error: unknown): boolean {
  if (error instanceof EmbeddedPostgresError) return false;
  return hasCode(error, ...PASSING_CODES) || /connection terminated|timeout|not queryable/i.test(String(error));
}

/** Closes the connection whatever state it is in; it keeps the process alive no longer than a moment. */
export async function closeConnection(client: pg.Client): Promise<void> {
  const socket = (client as unknown as { connection: { stream: Socket } }).connection.stream;
  const impatience = setTimeout(() => socket.destroy(), 2_000);
  await client.end().catch(() => undefined);
  clearTimeout(impatience);
  socket.destroy();
}

async function refuseStranger(client: pg.Client, cluster: Cluster): Promise<void> {
  const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
  const served = rows[0]?.data_directory ?? '';
  if ((await realpath(served).catch(() => served)) === cluster.dir) return;
  throw new EmbeddedPostgresError(
    `The PostgreSQL that should serve ${cluster.dir} serves ${served}. If the folder was moved while it ran, ` +
      'stop that server (its process id is in postmaster.pid) and start again.',
  );
}

function explain(error: unknown, cluster: Cluster): unknown {
  if (!hasCode(error, '28P01', '28000')) return error;
  return new EmbeddedPostgresError(
    `PostgreSQL refuses the password in ${cluster.passwordFile}. Put back the file that belongs to ${cluster.dir}.`,
    { cause: error },
  );
}
