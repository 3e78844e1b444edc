import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Neighbourhood } from '../support/neighbourhood.js';
import { listenRaw, sendRaw } from './raw-socket.js';
import { cpuUse, finish, readTask } from './report.js';
import { somewhere } from './somewhere.js';

interface Task extends Neighbourhood {
  url: string;
  seconds: number;
}

/** What people do all day, each so many times a second. */
const ACTS: [perSecond: number, act: () => void | Promise<void>][] = [
  [20, send],
  [2, edit],
  [1, remove],
  [2, comeBack],
  [2, readPage],
  [1, type],
];

const task = await readTask<Task>();
const use = cpuUse();
const sockets: Socket[] = [];
/** The newest messages, with who may change them. */
const newest: { room: string; id: string; author: number }[] = [];
/** How far each room has got. */
const revs = new Map<string, number>();
const MISSED = 50;
const counts = { sent: 0, acked: 0, refused: 0, failed: 0 };

for (let i = 0; i < task.tokens.length; i += 1) sockets.push(await open(i));
const timers = ACTS.map(([perSecond, act]) =>
  setInterval(() => void Promise.resolve(act()).catch(() => (counts.failed += 1)), 1000 / perSecond),
);
await pause(task.seconds * 1000);
timers.forEach((timer) => clearInterval(timer));
await pause(1000);
finish({ ...counts, clientCpu: use.share() });

function open(i: number): Promise<Socket> {
  return listenRaw(task.url, task.tokens[i] ?? '', (payload) => {
    const start = payload.toString('latin1', 0, 14);
    if (start === '{"type":"ack",') noteAck(payload.toString(), i);
    else if (start === '{"type":"error') counts.refused += 1;
  });
}

function noteAck(text: string, author: number): void {
  const { message } = JSON.parse(text) as { message?: { id: string; conversationId: string; rev: number } };
  if (!message) return;
  counts.acked += 1;
  revs.set(message.conversationId, message.rev);
  newest.push({ room: message.conversationId, id: message.id, author });
  if (newest.length > 100) newest.shift();
}

function send(): void {
  const { id: conversationId, place } = somewhere(task.rooms);
  counts.sent += 1;
  const frame = {
    type: 'message.send',
    ref: '1',
    conversationId,
    nonce: crypto.randomUUID(),
    content: 'so it goes on',
  };
  sendRaw(sockets[place] as Socket, JSON.stringify(frame));
}

async function edit(): Promise<void> {
  const message = newest.at(-5);
  if (message) await call('PATCH', message, { content: 'said better' });
}

async function remove(): Promise<void> {
  const message = newest.shift();
  if (message) await call('DELETE', message);
}

/** Goes without a word, and catches up. */
async function comeBack(): Promise<void> {
  const { id, place } = somewhere(task.rooms);
  sockets[place]?.destroy();
  sockets[place] = await open(place);
  const afterRev = Math.max(0, (revs.get(id) ?? 0) - MISSED);
  sendRaw(sockets[place], JSON.stringify({ type: 'sync', ref: '2', conversationId: id, afterRev }));
}

async function readPage(): Promise<void> {
  const { id: room, place: author } = somewhere(task.rooms);
  await call('GET', { room, author });
}

function type(): void {
  const { id: conversationId, place } = somewhere(task.rooms);
  sendRaw(sockets[place] as Socket, JSON.stringify({ type: 'typing.start', conversationId }));
}

async function call(method: string, at: { room: string; id?: string; author: number }, body?: object): Promise<void> {
  const path = `/api/v1/conversations/${at.room}/messages${at.id ? `/${at.id}` : ''}`;
  const response = await fetch(task.url + path, {
    method,
    headers: { authorization: `Bearer ${task.tokens[at.author]}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  await response.arrayBuffer();
  if (!response.ok) counts.failed += 1;
}
