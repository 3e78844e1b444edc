import type { Bench } from '../bench.js';
import { compare, type Figure, goal, replay, type Round } from '../support/compare.js';
import { type CrowdResult, load } from '../support/processes.js';
import { makeNeighbourhood } from '../support/neighbourhood.js';

const SECONDS = 8;

/** 1,000 people online in 200 rooms, at half of what the app takes when it is asked for all it can. */
export async function L1({ house, rounds }: Bench): Promise<Figure[]> {
  const task = {
    ...(await makeNeighbourhood(house, 1000, 200)),
    urls: [house.app.url],
    serverPids: house.pids,
    seconds: SECONDS,
  };
  const most = await load<CrowdResult>('crowd.js', { ...task, seconds: 4, inFlight: 128 });
  const perSecond = Math.round(most.perSecond / 2);
  const p99: Round[] = [];
  const delivery: Round[] = [];
  const what = `1,000 online, 200 rooms, ${perSecond} sends / s`;
  const p50 = await compare(
    { id: 'L1', what: `${what}: ack p50`, unit: 'ms', goal: '1 x of the goal' },
    rounds,
    goal(5),
    async () => {
      const { clientCpu, ackP50, ackP99, deliveryP99 } = await load<CrowdResult>('crowd.js', { ...task, perSecond });
      p99.push({ value: ackP99, clientCpu });
      delivery.push({ value: deliveryP99, clientCpu });
      return { value: ackP50, clientCpu };
    },
  );
  const about = { unit: 'ms', goal: '1 x of the goal' };
  return [
    p50,
    await compare({ ...about, id: 'L1b', what: 'ack p99 of the same' }, rounds, goal(25), replay(p99)),
    await compare({ ...about, id: 'L1c', what: 'delivery p99 of the same' }, rounds, goal(40), replay(delivery)),
  ];
}
