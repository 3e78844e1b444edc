import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PASSWORD, PEOPLE } from './cast.js';
import { Stage } from './stage.js';

/** In the folder of every demo, and of nothing else. */
const MARK = 'this-is-a-demo';
const APP = path.resolve(import.meta.dirname, '../src/main.js');
const folder = path.resolve(process.env.DEMO_DIR ?? '.demo');
const port = process.env.PORT ?? '3000';
const url = `http://127.0.0.1:${port}`;

try {
  await claimFolder();
  await mustBeFree();
  await run();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

/** Starts the app, fills it and lets people talk in it until somebody stops it. */
async function run(): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const app = start();
  const ended = once(app, 'exit').then(() => stop.abort());
  try {
    await untilLive(stop.signal);
    if (stop.signal.aborted) throw new Error('The app has ended: what it said is above.');
    const stage = await Stage.set(url);
    process.stdout.write(whatToDo());
    await stage.play(stop.signal);
  } finally {
    app.kill('SIGTERM');
    await ended;
  }
}

/** A demo has passwords that everybody knows: it must never come to lie among anybody's data. */
async function claimFolder(): Promise<void> {
  await mkdir(folder, { recursive: true });
  const content = await readdir(folder);
  if (content.length > 0 && !content.includes(MARK)) {
    throw new Error(`${folder} holds something else than a demo. Name another folder as DEMO_DIR.`);
  }
  await writeFile(path.join(folder, MARK), 'Made by npm run demo. It may be deleted at any time.\n');
}

/** What listens there may be an app with people in it, which is no place for a demo. */
async function mustBeFree(): Promise<void> {
  const probe = createServer().listen(Number(port), '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch {
    throw new Error(`Something listens on port ${port} already. Name another one as PORT.`);
  }
  probe.close();
  await once(probe, 'close');
}

/** On a database of its own in that folder, whatever the environment or a .env file names, and for this machine only. */
function start(): ChildProcess {
  const { PATH, HOME, LANG, TMPDIR, SYSTEMROOT } = process.env;
  const own = { DATA_DIR: path.join(folder, 'data'), HOST: '127.0.0.1', PORT: port };
  return spawn(process.execPath, ['--enable-source-maps', APP], {
    cwd: folder,
    env: { PATH, HOME, LANG, TMPDIR, SYSTEMROOT, ...own, RATE_LIMIT: 'off', LOG_LEVEL: 'error' },
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
}

async function untilLive(stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(200, undefined, { signal: stop }).catch(() => undefined);
  }
}

function whatToDo(): string {
  const login = JSON.stringify({ login: 'ada', password: PASSWORD });
  return `
The demo runs at ${url}, and people are talking in it. Ctrl-C ends it; the next start goes on with it.
Its data is in ${folder}: delete that folder to be rid of it.

People: ${PEOPLE.join(', ')}. The password of each is "${PASSWORD}".

See:   open ${url}/docs
Read:  token=$(curl -s ${url}/api/v1/auth/login -H 'Content-Type: application/json' -d '${login}' | jq -r .accessToken)
       curl -s ${url}/api/v1/conversations -H "Authorization: Bearer $token" | jq .
Hear:  paste this into the console of the browser on that page:
       fetch('/api/v1/auth/login', { method: 'POST', headers: { 'Content-Type': 'application/json' },
         body: '${login}' }).then((r) => r.json()).then(({ accessToken }) => {
         new WebSocket('ws://127.0.0.1:${port}/api/v1/realtime', ['parley.v1', 'bearer.' + accessToken])
           .onmessage = ({ data }) => console.log(JSON.parse(data)) })
`;
}
