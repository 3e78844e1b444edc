import { setTimeout as sleep } from 'node:timers/promises';
import { type Client } from 'pg';
import { type Cluster } from './cluster.js';
import { closeConnection, isPassing, tryConnect } from './connection.js';
import { DataFolderInUseError, EmbeddedPostgresError } from './errors.js';
import { readLock } from './lock-file.js';
import { createDatabase, findApp, type Role, signOut, takeAppLock, takeUserLock } from './locks.js';
import { DATABASE } from './names.js';
import { ensureRunning, type RunningServer, stopServer } from './server.js';

const ENTER_MS = 60_000;
const LONGEST_PAUSE_MS = 5_000;
/** Somebody who stops a server in good order is mostly about to start it again. */
const RESTART_MS = 5_000;

/** This process among the users of a server: locks on a connection of its own, taken anew when that breaks. */
export class Presence {
  port: number;
  private client: Client | undefined;
  private leaving: Promise<void> | undefined;
  private rejoining: Promise<void> | undefined;
  private readonly farewell = new AbortController();

  private constructor(
    private readonly cluster: Cluster,
    private readonly role: Role,
    server: RunningServer,
  ) {
    this.port = server.port;
    this.watch(server.client);
  }

  /** Brings the server up and signs in. Throws DataFolderInUseError to a second app, else EmbeddedPostgresError. */
  static async enter(cluster: Cluster, role: Role): Promise<Presence> {
    const end = Date.now() + ENTER_MS;
    while (Date.now() < end) {
      const server = await ensureRunning(cluster);
      if (await signIn(cluster, role, server.client)) {
        cluster.say(`PostgreSQL ${server.launched ? 'started' : 'was running already'}, port ${server.port}`);
        return new Presence(cluster, role, server);
      }
      await closeConnection(server.client);
      await sleep(100);
    }
    throw new EmbeddedPostgresError(`PostgreSQL on ${cluster.dir} is being stopped and started by turns. Try again.`);
  }

  /** Signs out; the last one to do so stops the server. Throws EmbeddedPostgresError if that does not stop. */
  leave(): Promise<void> {
    this.leaving ??= this.signOutForGood();
    return this.leaving;
  }

  private async signOutForGood(): Promise<void> {
    this.farewell.abort();
    await this.rejoining;
    const client = this.client ?? (await connectIfRunning(this.cluster));
    if (client) await signOutAndStop(this.cluster, client);
  }

  private watch(client: Client): void {
    this.client = client;
    client.once('end', () => {
      this.client = undefined;
      if (!this.leaving) this.rejoining = this.rejoin();
    });
  }

  private async rejoin(): Promise<void> {
    this.cluster.say('The connection to PostgreSQL was lost');
    const { signal } = this.farewell;
    const lostAt = Date.now();
    let complaint = '';
    for (let pause = 100; !signal.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      await sleep(pause, undefined, { ref: false, signal }).catch(() => undefined);
      try {
        if (await this.tryRejoin(lostAt, signal)) return;
      } catch (error) {
        if (!signal.aborted && String(error) !== complaint)
          this.cluster.say(`PostgreSQL is not back: ${String(error)}`);
        complaint = String(error);
      }
    }
  }

  private async tryRejoin(lostAt: number, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    const stoppedInOrder = (await readLock(this.cluster.dir)).kind === 'free';
    if (stoppedInOrder && Date.now() - lostAt < RESTART_MS) return false;
    const { client, port } = await ensureRunning(this.cluster, signal);
    try {
      await takeLocksAgain(client, this.role);
    } catch (error) {
      await closeConnection(client);
      throw error;
    }
    this.cluster.say('The connection to PostgreSQL is back');
    if (port !== this.port) this.cluster.say(`PostgreSQL moved from port ${this.port} to ${port}`);
    this.port = port;
    this.watch(client);
    return true;
  }
}

/** No: the server is about to stop, or went away meanwhile. */
async function signIn(cluster: Cluster, role: Role, client: Client): Promise<boolean> {
  try {
    if (!(await takeUserLock(client))) return false;
    if (role === 'app' && !(await takeAppLock(client))) throw await refuseSecondApp(cluster, client);
    await createDatabase(client, DATABASE);
    return true;
  } catch (error) {
    if (isPassing(error)) return false;
    if (!(error instanceof DataFolderInUseError)) await signOutAndStop(cluster, client);
    throw error;
  }
}

async function refuseSecondApp(cluster: Cluster, client: Client): Promise<DataFolderInUseError> {
  const pid = await findApp(client);
  await signOutAndStop(cluster, client);
  return new DataFolderInUseError(
    `Another app${pid ? ` (process ${pid})` : ''} is running on the data folder ${cluster.dataDir}. ` +
      'Stop it, or give this one a data folder of its own (DATA_DIR).',
  );
}

async function takeLocksAgain(client: Client, role: Role): Promise<void> {
  if (!(await takeUserLock(client))) throw new Error('somebody else is about to stop it');
  if (role === 'app' && !(await takeAppLock(client))) throw new Error('another app has taken this data folder');
}

async function connectIfRunning(cluster: Cluster): Promise<Client | undefined> {
  const lock = await readLock(cluster.dir);
  return lock.kind === 'held' ? tryConnect(cluster, lock.postmaster.port).catch(() => undefined) : undefined;
}

async function signOutAndStop(cluster: Cluster, client: Client): Promise<void> {
  try {
    if (await signOut(client)) await stopServer(cluster);
  } catch (error) {
    if (!isPassing(error)) throw error;
  } finally {
    await closeConnection(client);
  }
}
