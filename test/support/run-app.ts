import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BOOT_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 15_000;
const COMMAND_LIMIT_MS = 60_000;

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface RunningApp {
  url: string;
  port: number;
  pid: number;
  dataDir: string;
  /** All it has written so far, on both streams. */
  output(): string;
  /** Sends the signal and waits for the end. */
  kill(signal: NodeJS.Signals): Promise<Ended>;
  /** SIGTERM; throws if the app does not end within 15 s. */
  stop(): Promise<Ended>;
}

export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Starts the built app as its own process and gives it once it is live, within 30 s. It sees `env` and nothing of the
 * caller's variables or .env file. Unless `env` names a DATA_DIR, it has a temporary one that goes with it.
 */
export async function runApp(env: Record<string, string> = {}): Promise<RunningApp> {
  const folder = await temporaryFolder();
  const dataDir = env.DATA_DIR ?? path.join(folder, 'data');
  const port = env.PORT ? Number(env.PORT) : await freePort();
  const child = spawnNode(
    ['dist/src/main.js'],
    { HOST: '127.0.0.1', ...env, PORT: String(port), DATA_DIR: dataDir },
    folder,
  );
  const output = collect(child, ['stdout', 'stderr']);
  const ended = endOf(child).finally(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  const url = `http://127.0.0.1:${port}`;
  try {
    await untilLive(url, ended, output);
  } catch (error) {
    child.kill('SIGKILL');
    await ended;
    throw error;
  }

  const kill = (signal: NodeJS.Signals): Promise<Ended> => {
    child.kill(signal);
    return ended;
  };
  const stop = async (): Promise<Ended> => {
    const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    const end = await kill('SIGTERM').finally(() => clearTimeout(limit));
    if (end.signal === 'SIGKILL') throw new Error(`The app did not end within ${STOP_LIMIT_MS} ms:\n${output()}`);
    return end;
  };
  return { url, port, pid: child.pid!, dataDir, output, kill, stop };
}

/** Runs a Node program to its end, e.g. `runCommand(['dist/src/operations/cli/migrations.js', 'show'], { DATABASE_URL })`. */
export async function runCommand(args: string[], env: Record<string, string> = {}): Promise<CommandResult> {
  const folder = await temporaryFolder();
  const child = spawnNode(args, { DATA_DIR: path.join(folder, 'data'), ...env }, folder);
  const stdout = collect(child, ['stdout']);
  const stderr = collect(child, ['stderr']);
  const limit = setTimeout(() => child.kill('SIGKILL'), COMMAND_LIMIT_MS);
  try {
    const { code } = await endOf(child);
    return { code, stdout: stdout(), stderr: stderr() };
  } finally {
    clearTimeout(limit);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function spawnNode([program, ...args]: string[], env: Record<string, string>, cwd: string): ChildProcess {
  return spawn(process.execPath, ['--enable-source-maps', path.resolve(ROOT, program ?? ''), ...args], {
    cwd,
    env: { ...inherited(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function inherited(): Record<string, string> {
  const names = ['PATH', 'HOME', 'USER', 'LANG', 'TMPDIR', 'TEMP', 'TMP', 'SYSTEMROOT'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

async function untilLive(url: string, ended: Promise<Ended>, output: () => string): Promise<void> {
  let end: Ended | undefined;
  void ended.then((value) => (end = value));
  const deadline = Date.now() + BOOT_LIMIT_MS;
  while (Date.now() < deadline) {
    if (end) throw new Error(`The app ended (${end.code ?? end.signal}) before it was live:\n${output()}`);
    const response = await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
    if (response?.status === 200) return;
    await sleep(50);
  }
  throw new Error(`The app was not live within ${BOOT_LIMIT_MS} ms:\n${output()}`);
}

/** Settles once the output is complete too, unless a grandchild still holds the pipes. */
function endOf(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
    child.once('exit', (code, signal) => setTimeout(resolve, 500, { code, signal }));
  });
}

function collect(child: ChildProcess, streams: ('stdout' | 'stderr')[]): () => string {
  let text = '';
  for (const stream of streams) child[stream]?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return () => text;
}

/** Open to other users, because an embedded PostgreSQL under root runs as one; what is secret inside guards itself. */
async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'parley-test-app-'));
  await chmod(folder, 0o755);
  return folder;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
