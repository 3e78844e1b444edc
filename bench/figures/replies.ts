import { setTimeout as pause } from 'node:timers/promises';
import { type Bench } from '../bench.js';
import { compare, type Figure, goal, replay, type Round } from '../support/compare.js';
import type { House } from '../support/house.js';
import { userIdOf } from '../support/neighbourhood.js';
import { load, type PulseResult, serve } from '../support/processes.js';

interface Streaming {
  seconds: number;
  serverCpu: number;
  clientCpu: number;
  deltas: number;
}

interface Asker {
  token: string;
  session: string;
}

const SECONDS = 8;
/** How long they stream before another's sends are timed. */
const LEAD_SECONDS = 4;
const GOAL_CORES = 0.3;
const GOAL_CHECKPOINTS = 1;

/** What 100 replies at 30 deltas a second cost that are watched by three sockets each. */
export async function A1({ house, rounds }: Bench): Promise<Figure[]> {
  return withAskers(house, 100, async (people) => {
    const checkpoints: Round[] = [];
    const cores = await compare(
      { id: 'A1', what: '100 replies, 30 deltas / s, 3 watchers', unit: 'cores', goal: '1 x of the goal' },
      rounds,
      goal(GOAL_CORES),
      async () => {
        const [run, perStream] = await Promise.all([stream(house, people, 3, SECONDS), checkpointsOf(house, people)]);
        checkpoints.push({ value: perStream, clientCpu: run.clientCpu });
        return { value: run.serverCpu / run.seconds, clientCpu: run.clientCpu };
      },
    );
    const kept = { id: 'A1c', what: 'checkpoints of each', unit: '/ s', goal: '1 x of the goal' };
    return [cores, await compare(kept, rounds, goal(GOAL_CHECKPOINTS), replay(checkpoints))];
  });
}

/** How long an unrelated message takes while 200 replies stream, and while nothing happens. */
export async function A2({ house, rounds }: Bench): Promise<Figure[]> {
  const { tokens, channelIds } = await house.server(1, 1);
  const pulse = async (): Promise<Round> => {
    const task = { url: house.app.url, token: tokens[0], room: channelIds[0], perSecond: 50, seconds: SECONDS };
    const { p99, clientCpu } = await load<PulseResult>('pulse.js', task);
    return { value: p99, clientCpu };
  };
  return withAskers(house, 200, async (people) => [
    await compare(
      { id: 'A2', what: "an ack's p99 beside 200 replies", unit: 'ms', goal: '3 x at most' },
      rounds,
      pulse,
      async () => {
        const streaming = stream(house, people, 1, SECONDS + LEAD_SECONDS);
        await pause(LEAD_SECONDS * 1000);
        const round = await pulse();
        await streaming;
        return round;
      },
    ),
  ]);
}

function stream({ app, pids }: House, people: Asker[], watchers: number, seconds: number): Promise<Streaming> {
  return load<Streaming>('replies.js', { url: app.url, serverPids: pids, people, watchers, seconds });
}

/** How often a second the row of each running reply was written, as seen by looking five times a second. */
async function checkpointsOf({ dataSource }: House, people: Asker[]): Promise<number> {
  await pause(5000);
  const seen = new Map<string, string>();
  let writes = 0;
  const began = performance.now();
  while (performance.now() - began < 4000) {
    const rows: { id: string; version: string }[] = await dataSource.query(
      `SELECT id, xmin::text AS version FROM replies WHERE status = 'running'`,
    );
    for (const { id, version } of rows) {
      if (seen.has(id) && seen.get(id) !== version) writes += 1;
      seen.set(id, version);
    }
    await pause(200);
  }
  if (seen.size < people.length) throw new Error(`only ${seen.size} replies ran`);
  return writes / seen.size / ((performance.now() - began) / 1000);
}

/** People who each have a session with an agent, behind which a model of the bench answers. */
async function withAskers(
  house: House,
  count: number,
  work: (people: Asker[]) => Promise<Figure[]>,
): Promise<Figure[]> {
  const model = await serve('bench/load/model.js', {}, '/');
  try {
    const { tokens } = await house.server(count, 1);
    const agentId = await makeAgent(house, tokens[0] ?? '', model.url);
    const people: Asker[] = [];
    for (const token of tokens) {
      const { id } = await post<{ id: string }>(house, token, '/sessions', { type: 'agent', agentId });
      people.push({ token, session: id });
    }
    return await work(people);
  } finally {
    await model.stop();
  }
}

async function makeAgent(house: House, token: string, url: string): Promise<string> {
  const userId = userIdOf(token);
  await house.dataSource.query(`UPDATE users SET is_admin = true WHERE id = $1`, [userId]);
  const agent = {
    slug: `model-${userId}`,
    name: 'A model',
    kind: 'openai',
    model: 'bench-1',
    url,
    apiKey: 'none-needed',
  };
  return (await post<{ id: string }>(house, token, '/agents', agent)).id;
}

async function post<T>({ app }: House, token: string, path: string, body: object): Promise<T> {
  const answer = await fetch(`${app.url}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}
