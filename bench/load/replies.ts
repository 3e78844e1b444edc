import { setTimeout as pause } from 'node:timers/promises';
import { cpuSeconds } from '../support/processes.js';
import { listenRaw } from './raw-socket.js';
import { cpuUse, finish, readTask } from './report.js';

interface Task {
  url: string;
  /** Each with the agent session of theirs. */
  people: { token: string; session: string }[];
  /** Sockets of each. */
  watchers: number;
  seconds: number;
  serverPids: number[];
}

/** Everybody asks their agent, which answers for as long as it is measured, and all their sockets hear it. */
const task = await readTask<Task>();
const LEAD_MS = 2000;
const DELTA = Buffer.from('{"type":"message.delta"');
let deltas = 0;

for (const { token } of task.people) {
  const sockets = Array.from({ length: task.watchers }, () =>
    listenRaw(task.url, token, (payload) => {
      if (payload.subarray(0, DELTA.length).equals(DELTA)) deltas += 1;
    }),
  );
  await Promise.all(sockets);
}
const seconds = task.seconds + (2 * LEAD_MS) / 1000;
await Promise.all(task.people.map((person) => ask(person, String(seconds))));
await pause(LEAD_MS);

const use = cpuUse();
const cpu = cpuSeconds(task.serverPids);
const before = deltas;
await pause(task.seconds * 1000);
const result = {
  seconds: use.seconds(),
  serverCpu: cpuSeconds(task.serverPids) - cpu,
  clientCpu: use.share(),
  deltas: deltas - before,
};
await pause(2 * LEAD_MS);
finish(result);

async function ask({ token, session }: { token: string; session: string }, content: string): Promise<void> {
  const answer = await fetch(`${task.url}/api/v1/conversations/${session}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ content }),
  });
  if (answer.status !== 201) throw new Error(`a question was answered with ${answer.status}`);
}
