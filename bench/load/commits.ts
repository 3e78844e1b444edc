import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { cpuUse, finish, percentile, readTask } from './report.js';

interface Task {
  url: string;
  seconds: number;
}

const EVERY_MS = 10;

/** One small commit after the other, ten milliseconds apart, and nothing beside them: what the disk itself takes. */
const task = await readTask<Task>();
const client = new pg.Client({ connectionString: task.url });
await client.connect();
await client.query('CREATE TABLE IF NOT EXISTS floor_commits (n bigserial PRIMARY KEY, content text)');

const took: number[] = [];
const use = cpuUse();
while (use.seconds() < task.seconds) {
  const began = performance.now();
  await client.query(`INSERT INTO floor_commits (content) VALUES ('hello there, this is a message')`);
  took.push(performance.now() - began);
  await pause(EVERY_MS);
}
const clientCpu = use.share();
await client.end();
finish({ p50: percentile(took, 0.5), p99: percentile(took, 0.99), clientCpu });
