import type { Config } from '../config/config.js';
import { type EmbeddedPostgres, openEmbeddedPostgres } from './embedded/open.js';

export interface OpenDatabase {
  url: string;
  /** Where it runs, for people to read. */
  where: string;
  release(): Promise<void>;
}

/** Gives the PostgreSQL that the configuration names, or starts (or finds running) the embedded one. */
export async function openDatabase(config: Config, role: 'app' | 'command'): Promise<OpenDatabase> {
  if (config.databaseUrl) {
    const { host, pathname } = new URL(config.databaseUrl);
    return { url: config.databaseUrl, where: `${host}${pathname}`, release: () => Promise.resolve() };
  }
  const embedded: EmbeddedPostgres = await openEmbeddedPostgres({ dataDir: config.dataDir, role });
  return { url: embedded.url, where: `embedded, in ${config.dataDir}`, release: () => embedded.release() };
}
