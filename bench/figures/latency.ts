import type { Bench } from '../bench.js';
import { compare, type Figure, goal, replay, type Round } from '../support/compare.js';
import { type CrowdResult, load, type PulseResult } from '../support/processes.js';
import { makeNeighbourhood } from '../support/neighbourhood.js';

const SECONDS = 8;

/**
 * 1,000 people online in 200 rooms, at half of what the app takes when it is asked for all it can. No ack comes before the
 * disk has its message: what one commit takes that nothing else disturbs is measured between the rounds.
 */
export async function L1({ house, rounds }: Bench): Promise<Figure[]> {
  const task = {
    ...(await makeNeighbourhood(house, 1000, 200)),
    urls: [house.app.url],
    serverPids: house.pids,
    seconds: SECONDS,
  };
  const most = await load<CrowdResult>('crowd.js', { ...task, seconds: 4, inFlight: 128 });
  const perSecond = Math.round(most.perSecond / 2);
  const commits: Round[] = [];
  const p99: Round[] = [];
  const delivery: Round[] = [];
  const what = `1,000 online, 200 rooms, ${perSecond} sends / s`;
  const p50 = await compare(
    { id: 'L1', what: `${what}: ack p50`, unit: 'ms', goal: '1 x of the goal' },
    rounds,
    goal(5),
    async () => {
      const alone = await load<PulseResult>('commits.js', { url: house.databaseUrl, seconds: SECONDS });
      commits.push({ value: alone.p99, clientCpu: alone.clientCpu });
      const { clientCpu, ackP50, ackP99, deliveryP99 } = await load<CrowdResult>('crowd.js', { ...task, perSecond });
      p99.push({ value: ackP99, clientCpu });
      delivery.push({ value: deliveryP99, clientCpu });
      return { value: ackP50, clientCpu };
    },
  );
  const about = { unit: 'ms', goal: '1 x of the goal' };
  const disk = { id: 'L1d', what: "ack p99, beside a lone commit's", unit: 'ms', goal: 'none set' };
  return [
    p50,
    await compare({ ...about, id: 'L1b', what: 'ack p99 of the same' }, rounds, goal(25), replay(p99)),
    await compare({ ...about, id: 'L1c', what: 'delivery p99 of the same' }, rounds, goal(40), replay(delivery)),
    await compare(disk, rounds, replay(commits), replay(p99)),
  ];
}
