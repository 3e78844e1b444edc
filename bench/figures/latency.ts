import type { Bench } from '../bench.js';
import { compare, type Figure, goal, replay, type Round } from '../support/compare.js';
import { type CrowdResult, load, type PulseResult } from '../support/processes.js';
import { makeNeighbourhood, type Neighbourhood } from '../support/neighbourhood.js';

const SECONDS = 8;
const PEOPLE = 1000;
/** So many of them are a process of their own, which is timed: one that is a thousand people is late in all it does. */
const WITNESSES = 100;

interface Task extends Neighbourhood {
  urls: string[];
  serverPids: number[];
  seconds: number;
}

/**
 * 1,000 people online in 200 rooms, at half of what the app takes when it is asked for all it can. The same pace is kept
 * with a bare loop in the app's place, which stores nothing, and what one commit takes that nothing else disturbs is
 * measured between the rounds: no ack comes before the disk has its message.
 */
export async function L1({ house, bare, rounds }: Bench): Promise<Figure[]> {
  const people = await makeNeighbourhood(house, PEOPLE, 200);
  await fetch(bare.url, { method: 'POST', body: JSON.stringify(people.rooms) });
  const task = { ...people, urls: [house.app.url], serverPids: house.pids, seconds: SECONDS };
  const tokens = people.tokens.map((_, place) => String(place));
  const bareTask = { ...task, tokens, urls: [bare.url], serverPids: [bare.pid] };
  const most = await load<CrowdResult>('crowd.js', { ...task, seconds: 4, inFlight: 128 });
  const perSecond = Math.round(most.perSecond / 2);

  const floor: CrowdResult[] = [];
  const ours: CrowdResult[] = [];
  const commits: Round[] = [];
  for (let i = 0; i < rounds; i += 1) {
    floor.push(await keepPace(bareTask, perSecond));
    const { p99, clientCpu } = await load<PulseResult>('commits.js', { url: house.databaseUrl, seconds: SECONDS });
    commits.push({ value: p99, clientCpu });
    ours.push(await keepPace(task, perSecond));
  }

  const toReach = { unit: 'ms', goal: '1 x of the goal' };
  const toKnow = { unit: 'ms', goal: 'none set' };
  const what = `1,000 online, 200 rooms, ${perSecond} sends / s: ack p50`;
  const bareP50 = "ack p50, beside a bare ws loop's";
  const bareP99 = "ack p99, beside a bare ws loop's";
  const bareDelivery = "delivery p99, beside a bare ws loop's";
  const lone = "ack p99, beside a lone commit's";
  const [p50, p99, delivery] = [of('ackP50'), of('ackP99'), of('deliveryP99')];
  return [
    await compare({ ...toReach, id: 'L1', what }, rounds, goal(5), p50(ours)),
    await compare({ ...toReach, id: 'L1b', what: 'ack p99 of the same' }, rounds, goal(25), p99(ours)),
    await compare({ ...toReach, id: 'L1c', what: 'delivery p99 of the same' }, rounds, goal(40), delivery(ours)),
    await compare({ ...toKnow, id: 'L1d', what: bareP50 }, rounds, p50(floor), p50(ours)),
    await compare({ ...toKnow, id: 'L1e', what: bareP99 }, rounds, p99(floor), p99(ours)),
    await compare({ ...toKnow, id: 'L1f', what: bareDelivery }, rounds, delivery(floor), delivery(ours)),
    await compare({ ...toKnow, id: 'L1g', what: lone }, rounds, replay(commits), p99(ours)),
  ];
}

/** One of the delays that were measured, round by round. */
function of(delay: 'ackP50' | 'ackP99' | 'deliveryP99') {
  return (results: CrowdResult[]) => replay(results.map(({ [delay]: value, clientCpu }) => ({ value, clientCpu })));
}

/** Crowd and witnesses side by side, each with its share of the sends; gives what the witnesses saw. */
async function keepPace(task: Task, perSecond: number): Promise<CrowdResult> {
  const share = WITNESSES / PEOPLE;
  const [crowd, witnesses] = await Promise.all([
    load<CrowdResult>('crowd.js', { ...task, held: [WITNESSES, PEOPLE], perSecond: perSecond * (1 - share) }),
    load<CrowdResult>('crowd.js', { ...task, held: [0, WITNESSES], perSecond: perSecond * share }),
  ]);
  return { ...witnesses, clientCpu: Math.max(crowd.clientCpu, witnesses.clientCpu) };
}
