import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

// Runs beside Jest, which gets no chance to tear down when it is interrupted or killed. The pipe on standard input
// ends with Jest however that dies; then the server goes, and its folder with it.
const [folder] = process.argv.slice(2);

process.stdin.resume().on('end', async () => {
  const pid = await serverPid();
  if (pid) await end(pid);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function serverPid() {
  const file = path.join(folder, 'postgres', 'postmaster.pid');
  const text = await readFile(file, 'utf8').catch(() => '');
  return Number(text.split('\n')[0]) || undefined;
}

async function end(pid) {
  const deadline = Date.now() + 5000;
  for (let signal = 'SIGQUIT'; Date.now() < deadline; signal = 0) {
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    await sleep(50);
  }
}
