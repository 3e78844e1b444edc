import { prepareCluster } from './cluster.js';
import { toEmbeddedError } from './errors.js';
import { type Role } from './locks.js';
import { DATABASE, SUPERUSER } from './names.js';
import { Presence } from './presence.js';

export { DataFolderInUseError, EmbeddedPostgresError } from './errors.js';

export interface EmbeddedPostgres {
  /** Stays the same over restarts of the server, unless somebody else took its port meanwhile. */
  readonly url: string;
  readonly dataDir: string;
  /** Leaves; the last one to leave stops the server. */
  release(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  readonly dataDir: string;
  /** There is one app on a data folder at most, and any number of commands beside it. */
  readonly role: Role;
  readonly log?: (line: string) => void;
  /** False loses data in a crash of the system: for tests only. */
  readonly durable?: boolean;
}

/**
 * Takes the app's data folder and gives the PostgreSQL in it: the one that runs already, or one that it makes and
 * starts. Throws DataFolderInUseError to a second app, and EmbeddedPostgresError for all else that stands in the way.
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  try {
    const cluster = await prepareCluster(options);
    const presence = await Presence.enter(cluster, options.role);
    return {
      get url() {
        return `postgres://${SUPERUSER}:${encodeURIComponent(cluster.password)}@127.0.0.1:${presence.port}/${DATABASE}`;
      },
      dataDir: options.dataDir,
      release: () => presence.leave(),
    };
  } catch (error) {
    throw toEmbeddedError(error, options.dataDir);
  }
}
