import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../dist/src/main.js', import.meta.url));
const LIVE_MS = 60_000;

/** The real server, as built, on an embedded database in a folder of its own. */
export async function startApp() {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'parley-client-'));
  // PostgreSQL refuses root, and runs as somebody who must get in.
  await chmod(folder, 0o755);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const { PATH, HOME, USER, LANG } = process.env;
  const env = { PATH, HOME, USER, LANG, PORT: String(port), DATA_DIR: path.join(folder, 'data'), RATE_LIMIT: 'off' };

  const start = async () => {
    const child = spawn(process.execPath, [MAIN], { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] });
    const ended = new Promise((resolve) => child.once('close', resolve));
    const deadline = Date.now() + LIVE_MS;
    for (let live = false; !live && Date.now() < deadline; await sleep(50)) {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: is it built?`);
      live = await fetch(`${url}/health/live`).then(
        ({ ok }) => ok,
        () => false,
      );
    }
    return { child, ended };
  };

  let running = await start();
  return {
    url,
    async end(signal) {
      running.child.kill(signal);
      await running.ended;
    },
    async startAgain() {
      running = await start();
    },
    async remove() {
      await this.end('SIGTERM');
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
