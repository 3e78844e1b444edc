import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Neighbourhood } from '../support/neighbourhood.js';
import { cpuSeconds } from '../support/processes.js';
import { inGroups } from './in-groups.js';
import { listenRaw, sendRaw } from './raw-socket.js';
import { cpuUse, finish, percentile, readTask } from './report.js';
import { somewhere } from './somewhere.js';

interface Task extends Neighbourhood {
  /** The places whose people this process is: [first, last). Without it everybody. */
  held?: [number, number];
  /** The nodes; person i is connected to number i modulo their count. */
  urls: string[];
  /** At this pace, however long answers take (an open loop), or as many at once as `inFlight`. */
  perSecond?: number;
  inFlight?: number;
  seconds: number;
  serverPids: number[];
}

/** Everybody is online and hears; now this one writes into a room of theirs, now that one. */
const task = await readTask<Task>();
const ACK = Buffer.from('{"type":"ack"');
const [first, last] = task.held ?? [0, task.tokens.length];
/** One delivery of so many is read: to read all would be the whole work of a process that is a thousand people. */
const SAMPLED = Math.ceil((last - first) / 125);
/** Only what this process said itself is timed: another one's may have left late. */
const OWN = new RegExp(`"content":"hello there from ${process.pid}, nr (\\d+)"`);
const isHeld = (place: number): boolean => place >= first && place < last;
const rooms = task.rooms
  .map(({ id, members }) => ({ id, members: members.filter(isHeld) }))
  .filter(({ members }) => members.length > 0);
const sentAt: number[] = [];
const acks: number[] = [];
const deliveries: number[] = [];
let delivered = 0;

const sockets = await inGroups(task.tokens.slice(first, last), (token, n) => open(token, first + n));

function open(token: string, i: number): Promise<Socket> {
  return listenRaw(task.urls[i % task.urls.length] ?? '', token, (payload) => {
    if (payload.subarray(0, ACK.length).equals(ACK)) {
      const [, ref = ''] = /"ref":"(\d+)"/.exec(payload.toString('latin1', 0, 60)) ?? [];
      acks.push(performance.now() - (sentAt[Number(ref)] ?? 0));
      if (task.inFlight) send(performance.now());
    } else if ((delivered += 1) % SAMPLED === 0) {
      const [, ref] = OWN.exec(payload.toString('latin1')) ?? [];
      if (ref) deliveries.push(performance.now() - (sentAt[Number(ref)] ?? 0));
    }
  });
}

function send(due: number): void {
  const { id: conversationId, place } = somewhere(rooms);
  const ref = String(sentAt.push(due) - 1);
  const frame = { type: 'message.send', ref, conversationId, content: `hello there from ${process.pid}, nr ${ref}` };
  sendRaw(sockets[place - first] as Socket, JSON.stringify(frame));
}

async function openLoop(perSecond: number, seconds: number): Promise<void> {
  const began = performance.now();
  for (let n = 0; n < perSecond * seconds;) {
    const now = performance.now();
    for (; began + (n * 1000) / perSecond <= now && n < perSecond * seconds; n += 1)
      send(began + (n * 1000) / perSecond);
    await pause(1);
  }
}

async function work(seconds: number): Promise<void> {
  if (task.perSecond) await openLoop(task.perSecond, seconds);
  else await pause(seconds * 1000);
}

for (let n = 0; n < (task.inFlight ?? 0); n += 1) send(performance.now());
await work(2);
const use = cpuUse();
const serverCpu = cpuSeconds(task.serverPids);
acks.length = deliveries.length = delivered = 0;
await work(task.seconds);
finish({
  perSecond: acks.length / use.seconds(),
  clientCpu: use.share(),
  serverCpu: (cpuSeconds(task.serverPids) - serverCpu) / use.seconds(),
  deliveredPerSecond: delivered / use.seconds(),
  ackP50: percentile(acks, 0.5),
  ackP99: percentile(acks, 0.99),
  deliveryP99: percentile(deliveries, 0.99),
});
