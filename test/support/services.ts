import type { NestExpressApplication } from '@nestjs/platform-express';
import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { dataSourceOptions } from '../../ormconfig.js';
import type { Actor } from '../../src/auth/actor.js';
import { createApp } from '../../src/boot/create-app.js';
import { loadConfig } from '../../src/platform/config/config.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

export interface Services {
  app: NestExpressApplication;
  dataSource: DataSource;
  close(): Promise<void>;
}

/** The whole app in this process on a database, without a port: for tests of its services. */
export async function startServices(url: string, settings: NodeJS.ProcessEnv = {}): Promise<Services> {
  const dataSource = await new DataSource(dataSourceOptions(url, 20)).initialize();
  const secret = randomBytes(32).toString('hex');
  const quiet = { SECRET_KEY: secret, RATE_LIMIT: 'off', LOG_LEVEL: 'silent' };
  const config = loadConfig({ DATABASE_URL: url, ...quiet, ...settings });
  const app = await createApp(config, dataSource);
  await app.init();
  return { app, dataSource, close: () => app.close() };
}

/**
 * The same on a migrated database of its own, which goes with it. Closing throws where there were other than so many
 * deadlocks: what one of them ends is run again, and no test would notice but by its time.
 */
export async function servicesOnOwnDatabase(wanted = { deadlocks: 0 }): Promise<Services & { database: TestDatabase }> {
  const database = await createTestDatabase();
  const services = await startServices(database.url);
  const close = async () => {
    await services.close();
    const met = { deadlocks: await database.deadlocks() };
    await database.drop();
    expect(met).toEqual(wanted);
  };
  return { ...services, database, close };
}

/** Two nodes on one database of their own, each with its own caches and write queue. */
export async function twoNodes(
  wanted = { deadlocks: 0 },
): Promise<{ nodes: [Services, Services]; close(): Promise<void> }> {
  const first = await servicesOnOwnDatabase(wanted);
  const second = await startServices(first.database.url);
  const close = async () => {
    await second.close();
    await first.close();
  };
  return { nodes: [first, second], close };
}

/** Somebody who is signed in, without the cost of a password. */
export async function actor(dataSource: DataSource, name: string): Promise<Actor> {
  const userId = uuidv7();
  const loginId = uuidv7();
  const username = `${name}_${randomBytes(4).toString('hex')}`;
  await dataSource.query(`INSERT INTO users (id, username, username_key, display_name) VALUES ($1, $2, $2, $2)`, [
    userId,
    username,
  ]);
  await dataSource.query(
    `INSERT INTO logins (id, user_id, refresh_hash, family_hash, expires_at)
     VALUES ($1, $2, $3, $4, now() + interval '1 day')`,
    [loginId, userId, randomBytes(32), randomBytes(32)],
  );
  const profile = { id: userId, username, displayName: username, avatarUrl: null, kind: 'human' as const };
  return { userId, loginId, profile, isAdmin: false, isAdvocate: false, lacksSecondFactor: false };
}
