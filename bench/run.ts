import { writeFile } from 'node:fs/promises';
import { JwtService } from '@nestjs/jwt';
import { compare, type Figure, type Round, table } from './support/compare.js';
import { openHouse, type House } from './support/house.js';
import { load, type Running, serve } from './support/processes.js';

interface SocketResult {
  seconds: number;
  serverCpu: number;
  clientCpu: number;
  delivered: number;
  acked: number;
  lastP99: number;
}

const LISTENERS = 1000;
const [only, roundsGiven] = process.argv.slice(2);
const ROUNDS = Number(roundsGiven ?? 5);
const SECONDS = 4;
const FLOOR_SECRET = 'the floor needs no secret that is secret';

const house = await openHouse();
const bare = await serve('bench/floors/ws-loop.js', {}, '/');
const figures: Figure[] = [];
try {
  for (const [id, measure] of Object.entries({ F1, F2, W1, W2, W3, H1, M1 })) {
    if (only && only !== 'all' && !id.startsWith(only)) continue;
    process.stderr.write(`${id} ...\n`);
    figures.push(...(await measure()));
  }
} finally {
  await bare.stop();
  await house.close();
}
process.stdout.write(`${table(figures)}\n`);
await writeFile(
  'bench-result.json',
  `${JSON.stringify({ node: process.version, rounds: ROUNDS, figures }, null, 2)}\n`,
);

/** One room, a thousand listeners, and senders with `inFlight` sends open. */
async function fanOut(inFlight: number) {
  const { tokens, channelIds } = await house.server(LISTENERS + 1, 1);
  const [sender = '', ...listeners] = tokens;
  const task = { inFlight, seconds: SECONDS };
  const floor = () =>
    load<SocketResult>('sockets.js', {
      ...task,
      url: bare.url,
      serverPids: [bare.pid],
      listeners: listeners.map(() => ''),
      senders: [{ token: '', rooms: ['r'] }],
    });
  const ours = () =>
    load<SocketResult>('sockets.js', {
      ...task,
      url: house.app.url,
      serverPids: house.pids,
      listeners,
      senders: [{ token: sender, rooms: channelIds }],
    });
  return { floor, ours };
}

function perCpu({ delivered, serverCpu, clientCpu }: SocketResult): Round {
  return { value: delivered / serverCpu, clientCpu };
}

async function F1(): Promise<Figure[]> {
  const { floor, ours } = await fanOut(8);
  const about = { id: 'F1', what: '1,000 listeners, 8 in flight', unit: 'deliveries / CPU s', goal: '2.5 x' };
  return [
    await compare(
      about,
      ROUNDS,
      async () => perCpu(await floor()),
      async () => perCpu(await ours()),
    ),
  ];
}

async function F2(): Promise<Figure[]> {
  const { floor, ours } = await fanOut(1);
  const slow: { floor: number[]; ours: number[] } = { floor: [], ours: [] };
  const keep = (side: number[], result: SocketResult) => {
    side.push(result.lastP99);
    return perCpu(result);
  };
  const about = { id: 'F2', what: '1,000 listeners, 1 in flight', unit: 'deliveries / CPU s', goal: '0.9 x' };
  const f2 = await compare(
    about,
    ROUNDS,
    async () => keep(slow.floor, await floor()),
    async () => keep(slow.ours, await ours()),
  );
  const next = (side: number[]) => () => Promise.resolve({ value: side.shift() ?? 0, clientCpu: f2.clientCpu });
  const last = { id: 'F3', what: "last listener's p99 in F2", unit: 'ms', goal: '2 x at most' };
  return [f2, await compare(last, ROUNDS, next(slow.floor), next(slow.ours))];
}

async function sends(about: Pick<Figure, 'id' | 'what' | 'goal'>, rooms: number): Promise<Figure[]> {
  // Many rooms: everybody writes in rooms of their own, or each send would also be a delivery to all the others.
  const servers = await Promise.all(
    rooms === 1 ? [house.server(32, 1)] : Array.from({ length: 32 }, () => house.server(1, rooms / 32)),
  );
  const senders = servers.flatMap(({ tokens, channelIds }) => tokens.map((token) => ({ token, rooms: channelIds })));
  const task = { listeners: [], inFlight: 4, seconds: SECONDS };
  const floor = () =>
    load<HttpResult>('postgres.js', { url: house.databaseUrl, connections: 32, rooms, seconds: SECONDS });
  const ours = () => load<SocketResult>('sockets.js', { ...task, url: house.app.url, serverPids: house.pids, senders });
  return [
    await compare(
      { ...about, unit: 'messages / s' },
      ROUNDS,
      async () => rate(await floor()),
      async () => ours().then(({ acked, seconds, clientCpu }) => ({ value: acked / seconds, clientCpu })),
    ),
  ];
}

function W1(): Promise<Figure[]> {
  return sends({ id: 'W1', what: '32 senders x 4, 192 rooms', goal: '2 x' }, 192);
}

function W2(): Promise<Figure[]> {
  return sends({ id: 'W2', what: '32 senders x 4, one room', goal: '3 x' }, 1);
}

async function withExpress<T>(work: (express: Running, token: string) => Promise<T>): Promise<T> {
  const env = { FLOOR_DATABASE_URL: house.databaseUrl, FLOOR_SECRET, FLOOR_ROW_BYTES: '330' };
  const express = await serve('bench/floors/express.js', env);
  try {
    return await work(express, new JwtService({ secret: FLOOR_SECRET }).sign({ sub: 'floor' }));
  } finally {
    await express.stop();
  }
}

interface HttpResult {
  perSecond: number;
  clientCpu: number;
  bytes: number;
}
function rate({ perSecond, clientCpu }: HttpResult): Round {
  return { value: perSecond, clientCpu };
}

async function W3(): Promise<Figure[]> {
  const { tokens, channelIds } = await house.server(1, 1);
  const task = {
    method: 'POST',
    body: { content: 'hello there, this is a message' },
    connections: 16,
    seconds: SECONDS,
  };
  const about = { id: 'W3', what: 'POST a message, 16 connections', unit: 'requests / s', goal: '0.7 x' };
  return withExpress(async (express, token) => [
    await compare(
      about,
      ROUNDS,
      async () => rate(await load<HttpResult>('http.js', { ...task, url: `${express.url}/rooms/a`, token })),
      async () =>
        rate(await load<HttpResult>('http.js', { ...task, url: messagesOf(house, channelIds[0]), token: tokens[0] })),
    ),
  ]);
}

async function H1(): Promise<Figure[]> {
  const { tokens, channelIds } = await house.server(1, 1);
  const post = { method: 'POST', body: { content: 'hello there, this is a message' }, connections: 4, seconds: 1 };
  const get = { method: 'GET', connections: 16, seconds: SECONDS };
  const about = { id: 'H1', what: 'newest page of 50', unit: 'requests / s', goal: '0.6 x' };
  const url = messagesOf(house, channelIds[0]);
  return withExpress(async (express, token) => {
    await load('http.js', { ...post, url, token: tokens[0] });
    await load('http.js', { ...post, url: `${express.url}/rooms/a`, token });
    return [
      await compare(
        about,
        ROUNDS,
        async () => rate(await load<HttpResult>('http.js', { ...get, url: `${express.url}/rooms/a`, token })),
        async () => rate(await load<HttpResult>('http.js', { ...get, url, token: tokens[0] })),
      ),
    ];
  });
}

/** Each round on a fresh bare server and a fresh app, so that memory given back late does not blur it. */
async function M1(): Promise<Figure[]> {
  interface Idle {
    perSecond: number;
    kibEach: number;
    clientCpu: number;
  }
  const { tokens } = await house.server(500, 1);
  const results: { floor: Idle[]; ours: Idle[] } = { floor: [], ours: [] };
  const measure = async (side: Idle[], server: Running, list: string[]): Promise<Round> => {
    const idle = await load<Idle>('idle.js', {
      url: server.url,
      tokens: list,
      connections: 3000,
      serverPid: server.pid,
    });
    side.push(idle);
    return { value: idle.kibEach, clientCpu: idle.clientCpu };
  };
  const memory = { id: 'M1', what: 'memory of an idle connection', unit: 'KiB', goal: '25 KB' };
  const m1 = await compare(
    memory,
    1,
    () => measure(results.floor, bare, []),
    () => measure(results.ours, house.app, tokens),
  );
  const speed = { id: 'C1', what: 'connect, sign in, ready', unit: '/ s', goal: '0.25 x' };
  const next = (side: Idle[]) => () =>
    Promise.resolve({ value: side.shift()?.perSecond ?? 0, clientCpu: m1.clientCpu });
  return [m1, await compare(speed, 1, next(results.floor), next(results.ours))];
}

function messagesOf({ app }: House, channelId: string | undefined): string {
  return `${app.url}/api/v1/conversations/${channelId ?? ''}/messages`;
}
