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

interface Delays {
  p50: Round[];
  p99: Round[];
  delivery: Round[];
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

  const floor: Delays = { p50: [], p99: [], delivery: [] };
  const ours: Delays = { p50: [], p99: [], delivery: [] };
  const commits: Round[] = [];
  for (let i = 0; i < rounds; i += 1) {
    await keepPace(bareTask, perSecond, floor);
    const alone = await load<PulseResult>('commits.js', { url: house.databaseUrl, seconds: SECONDS });
    commits.push({ value: alone.p99, clientCpu: alone.clientCpu });
    await keepPace(task, perSecond, ours);
  }

  const rows: [id: string, what: string, beside: () => Promise<Round>, measured: Round[]][] = [
    ['L1', `1,000 online, 200 rooms, ${perSecond} sends / s: ack p50`, goal(5), ours.p50],
    ['L1b', 'ack p99 of the same', goal(25), ours.p99],
    ['L1c', 'delivery p99 of the same', goal(40), ours.delivery],
    ['L1d', "ack p50, beside a bare ws loop's", replay(floor.p50), ours.p50],
    ['L1e', "ack p99, beside a bare ws loop's", replay(floor.p99), ours.p99],
    ['L1f', "delivery p99, beside a bare ws loop's", replay(floor.delivery), ours.delivery],
    ['L1g', "ack p99, beside a lone commit's", replay(commits), ours.p99],
  ];
  const figures: Figure[] = [];
  for (const [n, [id, what, beside, measured]] of rows.entries()) {
    const about = { id, what, unit: 'ms', goal: n < 3 ? '1 x of the goal' : 'none set' };
    figures.push(await compare(about, rounds, beside, replay(measured)));
  }
  return figures;
}

/** Crowd and witnesses side by side, each with its share of the sends; the witnesses' delays go to `delays`. */
async function keepPace(task: Task, perSecond: number, delays: Delays): Promise<void> {
  const share = WITNESSES / PEOPLE;
  const [crowd, { ackP50, ackP99, deliveryP99, ...witnesses }] = await Promise.all([
    load<CrowdResult>('crowd.js', { ...task, held: [WITNESSES, PEOPLE], perSecond: perSecond * (1 - share) }),
    load<CrowdResult>('crowd.js', { ...task, held: [0, WITNESSES], perSecond: perSecond * share }),
  ]);
  const clientCpu = Math.max(crowd.clientCpu, witnesses.clientCpu);
  delays.p50.push({ value: ackP50, clientCpu });
  delays.p99.push({ value: ackP99, clientCpu });
  delays.delivery.push({ value: deliveryP99, clientCpu });
}
