import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { cpuUse, finish, percentile, readTask } from './report.js';

interface Task {
  url: string;
  token: string;
  method: 'GET' | 'POST';
  body?: object;
  connections: number;
  seconds: number;
}

/** `connections` callers, each asking again as soon as it is answered. */
const task = await readTask<Task>();
const agent = new Agent({ keepAlive: true, maxSockets: task.connections });
const body = task.body && JSON.stringify(task.body);
const headers = {
  authorization: `Bearer ${task.token}`,
  ...(body && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
};
let done = 0;
let bytes = 0;
let stop = false;
const times: number[] = [];

const callers = Array.from({ length: task.connections }, async () => {
  while (!stop) {
    const began = performance.now();
    await once();
    times.push(performance.now() - began);
    done += 1;
  }
});
await pause(500);
const use = cpuUse();
const before = done;
times.length = 0;
await pause(task.seconds * 1000);
const result = {
  perSecond: (done - before) / use.seconds(),
  clientCpu: use.share(),
  p50: percentile(times, 0.5),
  p99: percentile(times, 0.99),
  bytes,
};
stop = true;
await Promise.all(callers);
finish(result);

function once(): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(task.url, { agent, method: task.method, headers }, (response) => {
      if ((response.statusCode ?? 500) >= 300) reject(new Error(`answered ${String(response.statusCode)}`));
      let length = 0;
      response.on('data', (chunk: Buffer) => (length += chunk.length));
      response.on('end', () => {
        bytes = length;
        resolve();
      });
    });
    call.on('error', reject);
    call.end(body);
  });
}
