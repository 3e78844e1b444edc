import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { JwtService } from '@nestjs/jwt';
import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { dataSourceOptions } from '../../ormconfig.js';
import { TOKEN_AUDIENCE } from '../../src/auth/tokens.service.js';
import { migrate } from '../../src/platform/database/migrate.js';
import { type EmbeddedPostgres, openEmbeddedPostgres } from '../../src/platform/database/embedded/open.js';
import { type Running, serve } from './processes.js';
import { insertMembers, insertRooms } from './rooms.js';

/** The app and its PostgreSQL, both with full durability, and people in it without the cost of registering them. */
export interface House {
  app: Running;
  databaseUrl: string;
  dataDir: string;
  /** App and PostgreSQL: whose CPU counts. */
  pids: number[];
  dataSource: DataSource;
  /** A server with `members` people and `channels` channels; gives their ids and everyone's access token. */
  server(members: number, channels: number): Promise<{ serverId: string; channelIds: string[]; tokens: string[] }>;
  /** Signs somebody in; gives their access token. */
  signIn(userId: string): Promise<string>;
  /** Starts the app once more on the same database, with these settings besides. */
  node(env: Record<string, string>): Promise<Running>;
  close(): Promise<void>;
}

/** `prepare` is given the migrated database before the app starts on it. A folder that is given is left as it is. */
export async function openHouse(prepare?: (dataSource: DataSource) => Promise<void>, folder?: string): Promise<House> {
  const dataDir = folder ?? (await mkdtemp(path.join(tmpdir(), 'parley-bench-')));
  const postgres: EmbeddedPostgres = await openEmbeddedPostgres({ dataDir, role: 'command' });
  const secret = randomBytes(32).toString('hex');
  const env = {
    DATABASE_URL: postgres.url,
    DATA_DIR: dataDir,
    SECRET_KEY: secret,
    RATE_LIMIT: 'off',
    LOG_LEVEL: 'error',
    OUTBOUND_ALLOWED_HOSTS: '127.0.0.1',
  };
  const dataSource = await new DataSource(dataSourceOptions(postgres.url, 2)).initialize();
  const leave = async () => {
    await dataSource.destroy();
    await postgres.release();
    if (!folder) await rm(dataDir, { recursive: true, force: true });
  };
  let app: Running;
  try {
    await migrate(dataSource);
    await prepare?.(dataSource);
    app = await serve('src/main.js', env);
  } catch (error) {
    await leave();
    throw error;
  }
  const postmaster = Number((await readFile(path.join(dataDir, 'postgres/postmaster.pid'), 'utf8')).split('\n')[0]);
  const jwt = new JwtService({ secret, signOptions: { audience: TOKEN_AUDIENCE, expiresIn: 86_400 } });
  const signIn = async (userId: string): Promise<string> => {
    const login = uuidv7();
    await logIn(dataSource, [login], [userId]);
    return jwt.sign({ sid: login, typ: 'access' }, { subject: userId });
  };
  return {
    app,
    databaseUrl: postgres.url,
    dataDir,
    pids: [app.pid, postmaster],
    dataSource,
    signIn,
    node: (more) => serve('src/main.js', { ...env, ...more }),
    server: (members, channels) => makeServer(dataSource, jwt, members, channels),
    close: async () => {
      await app.stop();
      await leave();
    },
  };
}

async function makeServer(dataSource: DataSource, jwt: JwtService, members: number, channels: number) {
  const serverId = uuidv7();
  const channelIds = Array.from({ length: channels }, () => uuidv7());
  const people = Array.from({ length: members }, () => ({ id: uuidv7(), login: uuidv7() }));
  const ids = people.map(({ id }) => id);
  await dataSource.query(
    `INSERT INTO users (id, username, username_key, display_name) SELECT id, 'u' || id, 'u' || id, 'Someone' FROM unnest($1::uuid[]) id`,
    [ids],
  );
  await logIn(
    dataSource,
    people.map(({ login }) => login),
    ids,
  );
  await insertRooms(
    dataSource,
    channelIds.map((id) => ({ id, serverId })),
  );
  await insertMembers(
    dataSource,
    ids.map((userId) => ({ serverId, userId })),
  );
  const tokens = people.map(({ id, login }) => jwt.sign({ sid: login, typ: 'access' }, { subject: id }));
  return { serverId, channelIds, tokens };
}

async function logIn(dataSource: DataSource, logins: string[], userIds: string[]): Promise<void> {
  await dataSource.query(
    `INSERT INTO logins (id, user_id, refresh_hash, family_hash, expires_at)
     SELECT l, u, sha256(l::text::bytea), sha256(l::text::bytea), now() + interval '1 day' FROM unnest($1::uuid[], $2::uuid[]) AS t (l, u)`,
    [logins, userIds],
  );
}
