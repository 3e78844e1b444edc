import pg from 'pg';
import { cpuUse, finish, readTask } from './report.js';

interface Task {
  url: string;
  room: string;
  rows: number;
}

/** The floor of catching up: the same rows by keyset pages of a hundred, and as JSON. */
const task = await readTask<Task>();
const client = new pg.Client({ connectionString: task.url });
await client.connect();
const use = cpuUse();
let bytes = 0;
for (let after = 0; after < task.rows;) {
  const { rows } = await client.query<{ rev: string }>(
    'SELECT * FROM messages WHERE conversation_id = $1 AND rev > $2 ORDER BY rev LIMIT 100',
    [task.room, after],
  );
  bytes += JSON.stringify(rows).length;
  after = Number(rows.at(-1)?.rev ?? task.rows);
}
const seconds = use.seconds();
const clientCpu = use.share();
await client.end();
finish({ seconds, bytes, clientCpu });
