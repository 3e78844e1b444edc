import type { Bench } from '../bench.js';
import { compare, type Figure, goal, replay, type Round } from '../support/compare.js';
import type { House } from '../support/house.js';
import { fillRooms, userIdOf } from '../support/neighbourhood.js';
import { load, type PulseResult } from '../support/processes.js';

const PEOPLE = 10_000;
const ROOMS = 200;
const MISSED = 20;

interface Resumed {
  seconds: number;
  clientCpu: number;
}

/** Ten thousand come back at once, twenty messages behind each, while somebody else goes on writing. */
export async function R1({ house, rounds }: Bench): Promise<Figure[]> {
  const people = await makePeople(house);
  const { tokens, channelIds } = await house.server(1, 1);
  const others: Round[] = [];
  const pulse = () => {
    const task = { url: house.app.url, token: tokens[0], room: channelIds[0], perSecond: 50, seconds: 12 };
    return load<PulseResult>('pulse.js', task);
  };
  const done = await compare(
    { id: 'R1', what: '10,000 resume at once', unit: 's', goal: '1 x of the goal' },
    Math.min(rounds, 3),
    goal(15),
    async () => {
      const beside = pulse();
      const task = { url: house.app.url, people, afterRev: 100 - MISSED, opening: 1000 };
      const { seconds, clientCpu } = await load<Resumed>('resume.js', task);
      const { p99 } = await beside;
      others.push({ value: p99, clientCpu });
      return { value: seconds, clientCpu };
    },
  );
  const beside = { id: 'R1b', what: "others' ack p99 meanwhile", unit: 'ms', goal: '1 x of the goal' };
  return [done, await compare(beside, others.length, goal(500), replay(others))];
}

/** One who was away for ten thousand changes. */
export async function R2({ house, rounds }: Bench): Promise<Figure[]> {
  const { tokens, channelIds } = await house.server(1, 1);
  const [token = ''] = tokens;
  const [room = ''] = channelIds;
  await fillRooms(house, channelIds, 10_000, userIdOf(token));
  const round = async (resumed: Promise<Resumed>): Promise<Round> => {
    const { seconds, clientCpu } = await resumed;
    return { value: seconds, clientCpu };
  };
  return [
    await compare(
      { id: 'R2', what: 'sync of 10,000 changes, with connecting', unit: 's', goal: 'none set' },
      rounds,
      () => round(load<Resumed>('pages.js', { url: house.databaseUrl, room, rows: 10_000 })),
      () => {
        const task = { url: house.app.url, people: [{ token, room }], afterRev: 0, opening: 1 };
        return round(load<Resumed>('resume.js', task));
      },
    ),
  ];
}

async function makePeople(house: House): Promise<{ token: string; room: string }[]> {
  const people: { token: string; room: string }[] = [];
  const rooms: string[] = [];
  for (let n = 0; n < ROOMS; n += 1) {
    const { tokens, channelIds } = await house.server(PEOPLE / ROOMS, 1);
    const [room = ''] = channelIds;
    rooms.push(room);
    people.push(...tokens.map((token) => ({ token, room })));
  }
  await fillRooms(house, rooms, 100, userIdOf(people[0]?.token ?? ''));
  return people;
}
