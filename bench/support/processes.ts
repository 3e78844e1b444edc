import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const DIST = path.resolve(import.meta.dirname, '../..');

export interface Running {
  pid: number;
  url: string;
  stop(): Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** As `npm start` has it for the app; the floors are started as they are. */
const FLAGS: Record<string, string[]> = { 'src/main.js': ['--v8-pool-size=1'] };

/** Starts a compiled program that serves on PORT, and waits until `path` answers 200. */
export async function serve(file: string, env: Record<string, string>, ready = '/health/live'): Promise<Running> {
  const port = await freePort();
  const child = spawn(process.execPath, [...(FLAGS[file] ?? []), path.join(DIST, file)], {
    env: { ...process.env, PORT: String(port), ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries += 1) {
    const answer = await fetch(url + ready).catch(() => undefined);
    if (answer?.ok) break;
    if (child.exitCode !== null || tries > 300) throw new Error(`${file} did not start`);
    await pause(100);
  }
  return { pid: child.pid as number, url, stop: () => ended(child) };
}

/** Ends it, and resolves when it has. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

/** What bench/load/sockets.ts prints. */
export interface SocketResult {
  seconds: number;
  serverCpu: number;
  clientCpu: number;
  delivered: number;
  acked: number;
  ackP50: number;
  lastP99: number;
}

/** What the load programs print that ask and wait. */
export interface HttpResult {
  perSecond: number;
  p50: number;
  clientCpu: number;
}

/** What bench/load/crowd.ts prints. */
export interface CrowdResult {
  perSecond: number;
  clientCpu: number;
  /** Cores. */
  serverCpu: number;
  deliveredPerSecond: number;
  ackP50: number;
  ackP99: number;
  deliveryP99: number;
}

/** What bench/load/pulse.ts and bench/load/commits.ts print. */
export interface PulseResult {
  p50: number;
  p99: number;
  clientCpu: number;
}

/** Runs a load program in a process of its own with `task` as JSON on its input; gives the JSON that it prints. */
export async function load<T>(file: string, task: object): Promise<T> {
  const child = spawn(process.execPath, [path.join(DIST, 'bench/load', file)], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(task));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`${file} ended with ${String(code)}`);
  return JSON.parse(output) as T;
}

/** CPU seconds, user and system, of these processes and all their children, the ended ones included. */
export function cpuSeconds(pids: number[]): number {
  const parents = new Map<number, number>();
  const spent = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const fields = statFields(Number(name));
    if (!fields) continue;
    parents.set(Number(name), Number(fields[1]));
    spent.set(Number(name), fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100);
  }
  const belongs = (pid: number): boolean =>
    pids.includes(pid) || (parents.has(pid) && belongs(parents.get(pid) as number));
  return [...spent].filter(([pid]) => belongs(pid)).reduce((sum, [, seconds]) => sum + seconds, 0);
}

export function residentKiB(pid: number): number {
  const [, kib = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib);
}

/** From the state on: the command's name before it may hold blanks. */
function statFields(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
  } catch {
    return undefined;
  }
}
