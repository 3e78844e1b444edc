import { listenRaw, sendRaw } from './raw-socket.js';
import { cpuUse, finish, readTask } from './report.js';

interface Task {
  url: string;
  people: { token: string; room: string }[];
  afterRev: number;
  /** Handshakes that are under way at once; all the others wait for theirs. */
  opening: number;
}

/** Everybody comes back at once: connects, signs in, hears `ready`, and asks for what was missed. */
const task = await readTask<Task>();
const waiting = [...task.people];
const use = cpuUse();
const missed: Promise<void>[] = [];
await Promise.all(Array.from({ length: task.opening }, openAll));
await Promise.all(missed);
finish({ seconds: use.seconds(), clientCpu: use.share() });

async function openAll(): Promise<void> {
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { token, room } = next;
    let caughtUp: () => void = () => undefined;
    missed.push(new Promise<void>((resolve) => (caughtUp = resolve)));
    const socket = await listenRaw(task.url, token, (payload) => {
      if (payload.includes('"more":false')) caughtUp();
    });
    sendRaw(socket, JSON.stringify({ type: 'sync', ref: '1', conversationId: room, afterRev: task.afterRev }));
  }
}
