import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { cpuUse, finish, readTask } from './report.js';

interface Task {
  url: string;
  connections: number;
  rooms: number;
  seconds: number;
}

/** The floor of sends: the same PostgreSQL, one transaction a message, a counter and a row. */
const task = await readTask<Task>();
const pool = new pg.Pool({ connectionString: task.url, max: task.connections });
await pool.query('CREATE TABLE IF NOT EXISTS floor_rooms (id int PRIMARY KEY, last_seq bigint NOT NULL)');
await pool.query(`CREATE TABLE IF NOT EXISTS floor_sends (
  room int, seq bigint, id uuid, content text, created_at timestamptz DEFAULT now(), PRIMARY KEY (room, seq))`);
await pool.query('INSERT INTO floor_rooms SELECT n, 0 FROM generate_series(0, $1 - 1) n ON CONFLICT DO NOTHING', [
  task.rooms,
]);

let done = 0;
let stop = false;
async function sender(): Promise<void> {
  const client = await pool.connect();
  while (!stop) {
    const room = Math.floor(Math.random() * task.rooms);
    await client.query('BEGIN');
    const { rows } = await client.query<{ last_seq: string }>(
      'UPDATE floor_rooms SET last_seq = last_seq + 1 WHERE id = $1 RETURNING last_seq',
      [room],
    );
    await client.query('INSERT INTO floor_sends (room, seq, id, content) VALUES ($1, $2, $3, $4)', [
      room,
      rows[0]?.last_seq,
      uuidv7(),
      'hello there, this is a message',
    ]);
    await client.query('COMMIT');
    done += 1;
  }
  client.release();
}
const senders = Array.from({ length: task.connections }, sender);
await pause(500);
const use = cpuUse();
const before = done;
await pause(task.seconds * 1000);
const perSecond = (done - before) / use.seconds();
const clientCpu = use.share();
stop = true;
await Promise.all(senders);
await pool.end();
finish({ perSecond, clientCpu });
