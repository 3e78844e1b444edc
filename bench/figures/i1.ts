import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../ormconfig.js';
import { migrate } from '../../src/platform/database/migrate.js';
import { openEmbeddedPostgres } from '../../src/platform/database/embedded/open.js';
import type { Bench } from '../bench.js';
import { compare, type Figure, median } from '../support/compare.js';
import { makeOldStore } from '../support/old-store.js';

const COMMAND = path.resolve(import.meta.dirname, '../../src/operations/cli/legacy.js');
const MESSAGES = Number(process.env.BENCH_MESSAGES ?? 1_000_000);
const MEMORY_EVERY_MS = 50;

interface Imported {
  perSecond: number;
  peakMib: number;
}

/**
 * The import command, as a process of its own and from its start to its end, beside COPY of the rows that it made into
 * the same table with the same indexes, on a PostgreSQL of its own. Takes some minutes a round.
 */
export async function I1({ rounds }: Bench): Promise<Figure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'parley-bench-import-'));
  const postgres = await openEmbeddedPostgres({ dataDir: folder, role: 'command' });
  const client = new pg.Client({ connectionString: postgres.url });
  try {
    const dataSource = await new DataSource(dataSourceOptions(postgres.url, 2)).initialize();
    await migrate(dataSource).finally(() => dataSource.destroy());
    await client.connect();
    const store = path.join(folder, 'old.db');
    makeOldStore(store, { people: 1000, sessions: MESSAGES / 50, messages: MESSAGES });
    return await measured(rounds, client, postgres.url, store, path.join(folder, 'messages.copy'));
  } finally {
    await client.end();
    await postgres.release();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measured(rounds: number, client: pg.Client, url: string, store: string, copy: string) {
  const imports: Imported[] = [];
  const about = { id: 'I1', what: `import of ${MESSAGES.toLocaleString('en-US')}`, unit: 'messages / s' };
  // The rows to copy are those of an import, so that one comes before the first round and is not counted.
  await imported(client, url, store);
  await pipeline(client.query(copyTo('COPY messages TO STDOUT')), createWriteStream(copy));
  const speed = await compare(
    { ...about, goal: '0.25 x, 10,000' },
    rounds,
    async () => ({ value: await copied(client, copy), clientCpu: 0 }),
    async () => {
      const result = await imported(client, url, store);
      imports.push(result);
      return { value: result.perSecond, clientCpu: 0 };
    },
  );
  const peak = median(imports.map(({ peakMib }) => peakMib));
  const memory = { id: 'I1', what: 'its peak of resident memory', unit: 'MiB', goal: '300', clientCpu: 0 };
  return [speed, { ...memory, floor: 300, ours: peak, ratio: peak / 300 }];
}

/** The rows of the import stay, their messages go and come back. */
async function copied(client: pg.Client, file: string): Promise<number> {
  await client.query('TRUNCATE messages CASCADE');
  await client.query('CHECKPOINT');
  const started = performance.now();
  await pipeline(createReadStream(file), client.query(copyFrom('COPY messages FROM STDIN')));
  return MESSAGES / ((performance.now() - started) / 1000);
}

/** Throws where not all messages came over. */
async function imported(client: pg.Client, url: string, store: string): Promise<Imported> {
  await client.query('TRUNCATE imports, users, conversations, servers CASCADE');
  await client.query('CHECKPOINT');
  const started = performance.now();
  const child = spawn(process.execPath, [COMMAND, 'import', '--from', 'chat-sessions', '--source', store], {
    env: { ...process.env, DATABASE_URL: url, DATA_DIR: path.dirname(store) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let peakKib = 0;
  const watch = setInterval(() => (peakKib = Math.max(peakKib, peakOf(child))), MEMORY_EVERY_MS);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearInterval(watch);
  const seconds = (performance.now() - started) / 1000;
  const { rows } = await client.query<{ n: string }>('SELECT count(*) AS n FROM messages');
  if (code !== 0 || Number(rows[0]?.n) !== MESSAGES) throw new Error(`The import ended with ${String(code)}`);
  return { perSecond: MESSAGES / seconds, peakMib: peakKib / 1024 };
}

/** The most that the process has ever held, in KiB. */
function peakOf({ pid }: ChildProcess): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
