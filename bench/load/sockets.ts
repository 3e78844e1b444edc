import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { cpuSeconds } from '../support/processes.js';
import { inGroups } from './in-groups.js';
import { listenRaw } from './raw-socket.js';
import { cpuUse, finish, percentile, readTask } from './report.js';

interface Task {
  url: string;
  /** One access token for each socket; an empty one for a server without sign-in. */
  listeners: string[];
  /** Each with the rooms that it writes into in turn. */
  senders: { token: string; rooms: string[] }[];
  inFlight: number;
  /** So long a sender waits when all its sends are acked, and then sends all again. Without it the next follows each ack. */
  thinkMs?: number;
  seconds: number;
  serverPids: number[];
}

/** Listeners that count, and senders that keep `inFlight` sends open each, over rooms in turn. */
const task = await readTask<Task>();
const ACK = Buffer.from('{"type":"ack"');
let delivered = 0;
let acked = 0;
let sent = 0;
const acks: number[] = [];
const lastDelivery: number[] = [];

const senders = await inGroups(task.senders, ({ token }) => openOne(token));
const sentAt = new Map<string, number>();

await inGroups(task.listeners, (token, i) => {
  const isLast = i === task.listeners.length - 1;
  return listenRaw(task.url, token, (payload) => {
    delivered += 1;
    if (!isLast) return;
    const [, ref = ''] = /nr (\d+)/.exec(payload.toString()) ?? [];
    lastDelivery.push(performance.now() - (sentAt.get(ref) ?? performance.now()));
  });
});
for (const [i, socket] of senders.entries()) {
  const rooms = task.senders[i]?.rooms ?? [];
  let open = 0;
  const fill = () => {
    for (; open < task.inFlight; open += 1) send();
  };
  const send = () => {
    const ref = String(sent++);
    sentAt.set(ref, performance.now());
    const conversationId = rooms[sent % rooms.length];
    socket.send(JSON.stringify({ type: 'message.send', ref, conversationId, content: `hello there, nr ${ref}` }));
  };
  socket.on('message', (data: Buffer) => {
    if (!data.subarray(0, ACK.length).equals(ACK)) return;
    const [, ref = ''] = /"ref":"(\d+)"/.exec(data.toString('latin1', 0, 60)) ?? [];
    acked += 1;
    acks.push(performance.now() - (sentAt.get(ref) ?? 0));
    open -= 1;
    if (!task.thinkMs) fill();
    else if (open === 0) setTimeout(fill, task.thinkMs);
  });
  fill();
}

await pause(1000);
const use = cpuUse();
const serverCpu = cpuSeconds(task.serverPids);
const before = { delivered, acked };
acks.length = lastDelivery.length = 0;
await pause(task.seconds * 1000);
finish({
  seconds: use.seconds(),
  serverCpu: cpuSeconds(task.serverPids) - serverCpu,
  clientCpu: use.share(),
  delivered: delivered - before.delivered,
  acked: acked - before.acked,
  ackP50: percentile(acks, 0.5),
  ackP99: percentile(acks, 0.99),
  lastP99: percentile(lastDelivery, 0.99),
});

function openOne(token: string): Promise<WebSocket> {
  const protocols = token === '' ? [] : ['parley.v1', `bearer.${token}`];
  const socket = new WebSocket(`${task.url.replace('http', 'ws')}/api/v1/realtime`, protocols, {
    perMessageDeflate: false,
  });
  return new Promise((resolve, reject) => {
    socket.once('message', () => resolve(socket));
    socket.once('error', reject);
  });
}
