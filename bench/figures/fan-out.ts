import { type Bench, SECONDS } from '../bench.js';
import { compare, type Figure, replay, type Round } from '../support/compare.js';
import { load, type SocketResult } from '../support/processes.js';

const LISTENERS = 1000;

export async function F1(bench: Bench): Promise<Figure[]> {
  const { floor, ours } = await fanOut(bench, 8, 40);
  const about = { id: 'F1', what: '1,000 listeners, 8 in flight', unit: 'deliveries / CPU s', goal: '2.5 x' };
  return [
    await compare(
      about,
      bench.rounds,
      async () => perCpu(await floor()),
      async () => perCpu(await ours()),
    ),
  ];
}

/** With F3, which is measured in the same rounds. */
export async function F2(bench: Bench): Promise<Figure[]> {
  const { floor, ours } = await fanOut(bench, 1, 5);
  const slow: { floor: Round[]; ours: Round[] } = { floor: [], ours: [] };
  const keep = (side: Round[], result: SocketResult) => {
    side.push({ value: result.lastP99, clientCpu: result.clientCpu });
    return perCpu(result);
  };
  const about = { id: 'F2', what: '1,000 listeners, 1 in flight', unit: 'deliveries / CPU s', goal: '0.9 x' };
  const f2 = await compare(
    about,
    bench.rounds,
    async () => keep(slow.floor, await floor()),
    async () => keep(slow.ours, await ours()),
  );
  const last = { id: 'F3', what: "last listener's p99 in F2", unit: 'ms', goal: '2 x at most' };
  return [f2, await compare(last, bench.rounds, replay(slow.floor), replay(slow.ours))];
}

/**
 * One room, a thousand listeners, and one sender with `inFlight` sends open. When all are acked it waits before the
 * next: else the load client, which has a read to do for each write of the server, is full before that is.
 */
async function fanOut({ house, bare }: Bench, inFlight: number, thinkMs: number) {
  const { tokens, channelIds } = await house.server(LISTENERS + 1, 1);
  const [sender = '', ...listeners] = tokens;
  const task = { inFlight, thinkMs, seconds: SECONDS };
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
