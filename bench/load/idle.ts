import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { residentKiB } from '../support/processes.js';
import { cpuUse, finish, readTask } from './report.js';

interface Task {
  url: string;
  tokens: string[];
  connections: number;
  serverPid: number;
}

/** Opens connections that say nothing: how fast they come in, and what each costs the server in memory. */
const task = await readTask<Task>();
await openMany(200);
await pause(500);
const before = residentKiB(task.serverPid);
const use = cpuUse();
await openMany(task.connections);
const perSecond = task.connections / use.seconds();
const clientCpu = use.share();
await pause(2000);
finish({ perSecond, clientCpu, kibEach: (residentKiB(task.serverPid) - before) / task.connections });

async function openMany(count: number): Promise<void> {
  for (let i = 0; i < count; i += 50) {
    await Promise.all(Array.from({ length: Math.min(50, count - i) }, (_, n) => openOne(i + n)));
  }
}

function openOne(i: number): Promise<void> {
  const token = task.tokens[i % Math.max(1, task.tokens.length)] ?? '';
  const protocols = token === '' ? [] : ['parley.v1', `bearer.${token}`];
  const socket = new WebSocket(`${task.url.replace('http', 'ws')}/api/v1/realtime`, protocols, {
    perMessageDeflate: false,
  });
  return new Promise((resolve, reject) => {
    socket.once('message', () => resolve());
    socket.once('error', reject);
  });
}
