import { spawn, spawnSync } from 'node:child_process';
import type { Bench } from '../bench.js';
import { compare, type Figure, type Round } from '../support/compare.js';
import type { House } from '../support/house.js';
import { makeNeighbourhood } from '../support/neighbourhood.js';
import { type CrowdResult, ended, freePort, load, type Running } from '../support/processes.js';

const PER_SECOND = 150;

/**
 * Two nodes with Redis against one without: the last hearer's delay at the same quiet pace, and the most that they take.
 * All on the same cores: what a second machine adds cannot be seen here, only what talking to each other costs.
 */
export async function N1({ house, rounds }: Bench): Promise<Figure[]> {
  if (spawnSync('redis-server', ['--version']).status !== 0) throw new Error('N1 needs redis-server');
  const people = await makeNeighbourhood(house, 200, 40);
  const one = { ...people, urls: [house.app.url], serverPids: house.pids, seconds: 6 };
  return withTwoNodes(house, async ([first, second]) => {
    const two = { ...one, urls: [first.url, second.url], serverPids: [...house.pids, first.pid, second.pid] };
    const quiet = async (task: object): Promise<Round> => {
      const { deliveryP99, clientCpu } = await load<CrowdResult>('crowd.js', { ...task, perSecond: PER_SECOND });
      return { value: deliveryP99, clientCpu };
    };
    const busy = async (task: object): Promise<Round> => {
      const { perSecond, clientCpu } = await load<CrowdResult>('crowd.js', { ...task, inFlight: 128 });
      return { value: perSecond, clientCpu };
    };
    // The quiet rounds first: after a busy one the disk is at work for a while.
    const delay = await compare(
      { id: 'N1', what: `delivery p99 on two nodes, ${PER_SECOND} sends / s`, unit: 'ms', goal: '+ 10 ms' },
      rounds,
      () => quiet(one),
      () => quiet(two),
    );
    const sends = {
      id: 'N1b',
      what: 'the most that two nodes take',
      unit: 'messages / s',
      goal: '1.4 x, on more cores',
    };
    return [
      delay,
      await compare(
        sends,
        rounds,
        () => busy(one),
        () => busy(two),
      ),
    ];
  });
}

async function withTwoNodes<T>(house: House, work: (nodes: [Running, Running]) => Promise<T>): Promise<T> {
  const port = String(await freePort());
  const redis = spawn('redis-server', ['--port', port, '--bind', '127.0.0.1', '--save', ''], { stdio: 'ignore' });
  const nodes: Running[] = [];
  try {
    const env = { REDIS_URL: `redis://127.0.0.1:${port}` };
    const first = await house.node(env);
    nodes.push(first);
    const second = await house.node(env);
    nodes.push(second);
    return await work([first, second]);
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
    await ended(redis);
  }
}
