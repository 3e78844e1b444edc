import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { cpuUse, finish, percentile, readTask } from './report.js';

interface Task {
  url: string;
  token: string;
  room: string;
  perSecond: number;
  seconds: number;
}

/** One person who sends at a steady pace, however long each ack takes (an open loop). */
const task = await readTask<Task>();
const socket = new WebSocket(`${task.url.replace('http', 'ws')}/api/v1/realtime`, [
  'parley.v1',
  `bearer.${task.token}`,
]);
await new Promise((resolve) => socket.once('message', resolve));

const dueAt = new Map<string, number>();
const acks: number[] = [];
socket.on('message', (data: Buffer) => {
  const { type, ref = '' } = JSON.parse(data.toString()) as { type: string; ref?: string };
  if (type === 'ack') acks.push(performance.now() - (dueAt.get(ref) ?? 0));
});
const use = cpuUse();
const began = performance.now();
for (let n = 0; n < task.seconds * task.perSecond; n += 1) {
  const due = began + (n * 1000) / task.perSecond;
  await pause(due - performance.now());
  dueAt.set(String(n), due);
  const frame = { type: 'message.send', ref: String(n), conversationId: task.room, content: `hello there, nr ${n}` };
  socket.send(JSON.stringify(frame));
}
await pause(500);
finish({
  sent: dueAt.size,
  acked: acks.length,
  p50: percentile(acks, 0.5),
  p99: percentile(acks, 0.99),
  clientCpu: use.share(),
});
