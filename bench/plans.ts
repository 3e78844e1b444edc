import { writeFile } from 'node:fs/promises';
import type { DataSource } from 'typeorm';
import { percentile } from './load/report.js';
import { type Call, callsOf } from './plans/calls.js';
import { explainAll, PlanLog, sequentialScansOf, setExplaining, type Statement } from './plans/explained.js';
import { documentOf, type Result } from './plans/document.js';
import { makeCrowd, type Size } from './support/crowd.js';
import { openHouse } from './support/house.js';

/** A table so small is read at once whatever its indexes are. */
const SMALL_TABLE = 10_000;
/** From the sixth time on PostgreSQL may keep a plan for all values. */
const RUNS = 8;
/** 0 for the plans alone. */
const MEASURED = Number(process.env.PLANS_MEASURED ?? 300);

const [messages = 1_000_000, channels = 1000, members = 10_000] = process.argv.slice(2).map(Number);
const size: Size = { messages, channels, members };
const say = (line: string) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

const house = await openHouse(async (dataSource) => {
  await fillOnce(dataSource);
  await explainAll(dataSource);
}, process.env.PLANS_DATA_DIR);
try {
  const bigTables = await tablesOver(SMALL_TABLE);
  const calls = await callsOf(house);
  const results: Result[] = [];
  for (const call of calls) results.push({ call, statements: await plansOf(call), times: [] });
  await setExplaining(house.dataSource, false);
  if (MEASURED > 0) for (const result of results) result.times = await timesOf(result.call);
  const version = await house.dataSource.query<[{ server_version: string }]>('SHOW server_version');
  const text = documentOf(results, { size, version: version[0].server_version });
  if (messages >= 1_000_000) await writeFile('docs/plans.md', text);
  else process.stdout.write(text);
  const wrong = results.flatMap(({ call, statements }) =>
    statements
      .flatMap(({ plan }) => sequentialScansOf(plan))
      .filter((table) => bigTables.has(table))
      .map((table) => `${call.what} (${call.about}) reads all of ${table}`),
  );
  for (const line of wrong) say(line);
  if (wrong.length > 0) process.exitCode = 1;
} finally {
  await house.close();
}

/** A folder that was given is filled the first time only. */
async function fillOnce(dataSource: DataSource): Promise<void> {
  const [row] = await dataSource.query<[{ filled: boolean }]>(`SELECT EXISTS (SELECT 1 FROM messages) AS filled`);
  if (row.filled) return;
  say(`filling: ${messages} messages, ${channels} channels, ${members} members`);
  await makeCrowd(dataSource, size);
}

/** What is run every time the call is made, with the plan that it has after some times, at its fastest. */
async function plansOf(call: Call): Promise<Statement[]> {
  say(`${call.what} ${call.about}`);
  const log = new PlanLog(house.dataDir);
  const runs: Statement[][] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const ask = call.asks[run % call.asks.length];
    runs.push(ask ? await log.during(ask) : []);
  }
  const last = runs.at(-1) ?? [];
  const always = last.filter(({ sql }) => runs.every((run) => run.some((other) => other.sql === sql)));
  const settled = runs.slice(-3).flat();
  return always.map((statement) =>
    settled.filter(({ sql }) => sql === statement.sql).reduce((best, other) => (other.ms < best.ms ? other : best)),
  );
}

async function timesOf(call: Call): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < MEASURED; i += 1) {
    const began = performance.now();
    await call.asks[i % call.asks.length]?.();
    times.push(performance.now() - began);
  }
  say(`${call.what} ${call.about}: p50 ${percentile(times, 0.5).toFixed(1)} p99 ${percentile(times, 0.99).toFixed(1)}`);
  return times;
}

async function tablesOver(rows: number): Promise<Set<string>> {
  const tables = await house.dataSource.query<{ name: string }[]>(
    `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND reltuples > $1`,
    [rows],
  );
  return new Set(tables.map(({ name }) => name));
}
