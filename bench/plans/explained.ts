import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { DataSource } from 'typeorm';

/** One statement as PostgreSQL ran it. */
export interface Statement {
  sql: string;
  plan: string;
  ms: number;
}

/** Lets PostgreSQL itself write the plan of all that is run, on connections that are opened from now on. */
export async function explainAll(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query(`LOAD 'auto_explain'`);
    for (const setting of ['analyze = on', 'buffers = on', 'parameter_max_length = 0']) {
      await runner.query(`ALTER SYSTEM SET auto_explain.log_${setting}`);
    }
    await runner.query(`ALTER SYSTEM SET session_preload_libraries = 'auto_explain'`);
    await setExplaining(runner, true);
  } finally {
    await runner.release();
  }
}

/** Switches it off, or on again, also on connections that are open. */
export async function setExplaining(dataSource: Pick<DataSource, 'query'>, on: boolean): Promise<void> {
  await dataSource.query(`ALTER SYSTEM SET auto_explain.log_min_duration = ${on ? 0 : -1}`);
  await dataSource.query(`SELECT pg_reload_conf()`);
  await pause(300);
}

/** The plans that PostgreSQL writes into its log. */
export class PlanLog {
  private readonly file: string;

  constructor(dataDir: string) {
    this.file = path.join(dataDir, 'postgres.log');
  }

  /** Gives what `work` let run, in order. Only what runs alone is told apart. */
  async during(work: () => Promise<void>): Promise<Statement[]> {
    const { size } = await stat(this.file);
    await work();
    const handle = await open(this.file, 'r');
    try {
      const { size: end } = await handle.stat();
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - size), 0, end - size, size);
      return statementsIn(buffer.toString('utf8', 0, bytesRead));
    } finally {
      await handle.close();
    }
  }
}

/** Entries begin with their time; the lines that go on an entry begin with a tab. */
function statementsIn(log: string): Statement[] {
  return log.split(/^(?=\d{4}-\d\d-\d\d )/m).flatMap((entry) => {
    const [, ms, text = ''] = /LOG: {2}duration: ([\d.]+) ms {2}plan:\n([^]*)/.exec(entry) ?? [];
    if (ms === undefined) return [];
    const lines = text.split('\n').map((line) => line.replace(/^\t/, ''));
    const first = lines.findIndex((line) => /\(cost=\d/.test(line));
    const sql = lines
      .slice(0, first)
      .join('\n')
      .replace(/^Query Text: /, '');
    return [{ sql, plan: lines.slice(first).join('\n').trimEnd(), ms: Number(ms) }];
  });
}

/** Kinds of scans with what they read, such as "Index Scan using a on b", each once. */
export function scansOf(plan: string): string[] {
  const scans = plan.matchAll(
    /((?:Parallel )?(?:Seq|Index|Index Only|Bitmap Index) Scan) (?:Backward )?(using \w+ )?on (\w+)/g,
  );
  return [...new Set(Array.from(scans, ([, kind = '', using = '', what = '']) => `${kind} ${using}on ${what}`))];
}

export function sequentialScansOf(plan: string): string[] {
  return Array.from(plan.matchAll(/Seq Scan on (\w+)/g), ([, table = '']) => table);
}

/** Pages of 8 KiB that the whole statement touched. */
export function buffersOf(plan: string): number {
  const [, line = ''] = /^\s*Buffers: shared (.*)$/m.exec(plan) ?? [];
  return Array.from(line.matchAll(/(?:hit|read)=(\d+)/g), ([, pages]) => Number(pages)).reduce((sum, n) => sum + n, 0);
}
