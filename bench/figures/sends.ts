import { type Bench, SECONDS } from '../bench.js';
import { compare, type Figure } from '../support/compare.js';
import { load, type SocketResult } from '../support/processes.js';

export function W1(bench: Bench): Promise<Figure[]> {
  return sends(bench, { id: 'W1', what: '32 senders x 4, 192 rooms', goal: '2 x' }, 192);
}

export function W2(bench: Bench): Promise<Figure[]> {
  return sends(bench, { id: 'W2', what: '32 senders x 4, one room', goal: '3 x' }, 1);
}

async function sends({ house, rounds }: Bench, about: Pick<Figure, 'id' | 'what' | 'goal'>, rooms: number) {
  // Many rooms: everybody writes in rooms of their own, or each send would also be a delivery to all the others.
  const servers = await Promise.all(
    rooms === 1 ? [house.server(32, 1)] : Array.from({ length: 32 }, () => house.server(1, rooms / 32)),
  );
  const senders = servers.flatMap(({ tokens, channelIds }) => tokens.map((token) => ({ token, rooms: channelIds })));
  const task = { listeners: [], inFlight: 4, seconds: SECONDS };
  return [
    await compare(
      { ...about, unit: 'messages / s' },
      rounds,
      async () => {
        const floor = { url: house.databaseUrl, connections: 32, rooms, seconds: SECONDS };
        const { perSecond, clientCpu } = await load<{ perSecond: number; clientCpu: number }>('postgres.js', floor);
        return { value: perSecond, clientCpu };
      },
      async () => {
        const ours = { ...task, url: house.app.url, serverPids: house.pids, senders };
        const { acked, seconds, clientCpu } = await load<SocketResult>('sockets.js', ours);
        return { value: acked / seconds, clientCpu };
      },
    ),
  ];
}
