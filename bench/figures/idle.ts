import type { Bench } from '../bench.js';
import { compare, type Figure, replay, type Round } from '../support/compare.js';
import { load, type Running } from '../support/processes.js';

const CONNECTIONS = 3000;

interface Idle {
  perSecond: number;
  kibEach: number;
  clientCpu: number;
}

/** With C1. One round only: memory that is given back late would blur a second one. */
export async function M1({ house, bare }: Bench): Promise<Figure[]> {
  const { tokens } = await house.server(500, 1);
  const opened: { floor: Round[]; ours: Round[] } = { floor: [], ours: [] };
  const measure = async (side: Round[], server: Running, list: string[]): Promise<Round> => {
    const task = { url: server.url, tokens: list, connections: CONNECTIONS, serverPid: server.pid };
    const { perSecond, kibEach, clientCpu } = await load<Idle>('idle.js', task);
    side.push({ value: perSecond, clientCpu });
    return { value: kibEach, clientCpu };
  };
  const m1 = await compare(
    { id: 'M1', what: 'memory of an idle connection', unit: 'KiB', goal: '25 KB' },
    1,
    () => measure(opened.floor, bare, []),
    () => measure(opened.ours, house.app, tokens),
  );
  const c1 = { id: 'C1', what: 'connect, sign in, ready', unit: '/ s', goal: '0.25 x' };
  return [m1, await compare(c1, 1, replay(opened.floor), replay(opened.ours))];
}
