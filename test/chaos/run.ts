import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Person as Account, person } from '../support/people.js';
import { Api } from './api.js';
import { checkDatabase, checkMirror, checkRemovals, checkReplies, openReplies, repliesDone } from './checks.js';
import { Follower } from './follower.js';
import { House } from './house.js';
import { Ledger } from './ledger.js';
import { type Places, Person } from './person.js';
import { ADVOCATES, type Fault, PEOPLE, type Plan, SERVERS, SESSIONS } from './plan.js';

/** A reply whose node was killed is taken up again within fifteen seconds. */
const SETTLE_MS = 25_000;

export interface Report {
  /** What should not be; empty after a good run. */
  wrong: string[];
  /** The codes that sockets were closed with until everything was over. */
  closings: number[];
  /** What nodes that were ending said of themselves. */
  readiness: ReadonlySet<number>;
  figures: Record<string, number>;
  logs: string[];
}

/** Carries a plan out and looks at what is left. `inTurn`: no fault begins before the one before it is over. */
export async function runPlan(plan: Plan, { inTurn = false } = {}): Promise<Report> {
  const house = await House.open();
  const ledger = new Ledger();
  const { people, places } = await settleIn(house, ledger);
  try {
    await Promise.all(people.map(({ follower }) => untilLive(follower)));
    const began = Date.now();
    const striking = inTurn ? oneByOne(house, plan.faults) : together(house, plan.faults);
    await Promise.all(people.map((someone, i) => someone.follow(plan.acts[i] ?? [], began, plan.ms)));
    await striking;
    await lastWords(house, people, places);
    const closings = people.flatMap(({ follower }) => follower.closings);
    const wrong = await judge(house, ledger, people, places);
    const figures = { ...figuresOf(ledger, people), replies: await atDatabase(house, repliesDone) };
    return { wrong, closings, readiness: house.readiness, figures, logs: house.logs };
  } finally {
    for (const { follower } of people) follower.close();
    await house.close();
  }
}

/**
 * Nothing comes after them that would show what was missed: two people are removed, advocates leave their sessions, and a
 * good second later everybody else is told something in each room by a node that can tell the other one nothing.
 */
async function lastWords(house: House, people: Person[], { rooms, servers, sessions }: Places): Promise<void> {
  const act = { at: 0, over: 'rest' as const };
  const [admin] = people as [Person];
  for (const lot of servers.keys()) await admin.act({ ...act, kind: 'remove', node: lot, lot });
  for (const advocate of people.slice(-ADVOCATES)) await advocate.act({ ...act, kind: 'release', node: 0, lot: 0 });
  await sleep(1_100);
  const owners = people.filter(({ api }) => sessions.some(({ ownerId }) => ownerId === api.userId));
  const sayInAll = async (person: Person, from: number, node: number) => {
    for (let lot = from; lot < person.rooms.length; lot += 1) {
      await person.act({ ...act, kind: 'send', node: node + lot, lot });
    }
  };
  await house.withoutRedis(async () => {
    for (const node of [0, 1]) {
      await sayInAll(admin, 0, node);
      for (const owner of owners) await sayInAll(owner, rooms.length, node);
    }
    await owners[0]?.act({ ...act, kind: 'clear', node: 0, lot: 0 });
  });
}

async function together(house: House, faults: Fault[]): Promise<void> {
  await Promise.all(faults.map((fault) => sleep(fault.at).then(() => house.strike(fault))));
}

async function oneByOne(house: House, faults: Fault[]): Promise<void> {
  for (const fault of faults) {
    await sleep(fault.at);
    await house.strike(fault);
  }
}

async function settleIn(house: House, ledger: Ledger): Promise<{ people: Person[]; places: Places }> {
  const [url] = house.urls as [string];
  const accounts: Account[] = [];
  for (let i = 0; i < PEOPLE; i += 1) accounts.push(await person(url, `p${i}`));
  const advocates = accounts.slice(-ADVOCATES).map(({ id }) => id);
  await atDatabase(house, (database) =>
    database.query(`UPDATE users SET is_advocate = true WHERE id = ANY($1)`, [advocates]),
  );
  const [admin, ...others] = accounts as [Account, ...Account[]];
  const places: Places = { servers: [], rooms: [], sessions: [] };
  for (let i = 0; i < SERVERS; i += 1) {
    const { body } = await admin.post('/servers', { name: `Server ${i}` });
    const second = await admin.post(`/servers/${body.id}/channels`, { name: 'second', type: 'TEXT' });
    for (const { id } of others) await admin.post(`/servers/${body.id}/members`, { userId: id });
    const general = body.channels[0].id as string;
    const rooms = [general, second.body.id as string, await openThread(admin, general, ledger)];
    places.servers.push({ id: body.id, rooms, members: accounts.map(({ id }) => id) });
    places.rooms.push(...rooms);
  }
  const agentId = (await admin.get('/agents')).body.items[0].id as string;
  for (const [i, type] of SESSIONS.entries()) {
    const owner = others[i] as Account;
    const { id } = (await owner.post('/sessions', type === 'agent' ? { type, agentId } : { type })).body as {
      id: string;
    };
    places.sessions.push({ id, type, rooms: [id, await openThread(owner, id, ledger)], ownerId: owner.id });
  }
  const people = accounts.map(({ id, token }, i) => {
    const api = new Api(house.urls, id, token);
    return new Person(`p${i}`, api, new Follower(api, i % 3 === 2), places, ledger);
  });
  return { people, places };
}

/** In which everybody hears what is said, and which only those have in their inbox who have said something there. */
async function openThread(admin: Account, room: string, ledger: Ledger): Promise<string> {
  const said = { author: admin.id, room, nonce: `thread-${room}`, content: 'let us talk', edits: [] };
  const message = await admin.say(room, said.content, said.nonce);
  ledger.said.push({ ...said, fate: { end: 'done', unsure: false }, message });
  return (await admin.post(`/conversations/${room}/messages/${message.id}/thread`)).body.id;
}

async function judge(house: House, ledger: Ledger, people: Person[], places: Places): Promise<string[]> {
  const rooms = [...places.rooms, ...places.sessions.flatMap((session) => session.rooms)];
  return atDatabase(house, async (database) => {
    // Without anybody coming back: what was missed is brought by the nodes themselves.
    await untilSettled(people, database);
    const wrong = [...house.complaints, ...ledger.complaints, ...(await checkDatabase(database, ledger, rooms))];
    wrong.push(...(await checkReplies(database)));
    wrong.push(...(await checkMirrors(people)).map((text) => `before coming back: ${text}`));
    await Promise.all(people.map(({ follower }) => comeBack(follower)));
    await untilSettled(people, database);
    wrong.push(...(await checkMirrors(people)).map((text) => `after coming back: ${text}`));
    for (const { name, api, follower } of people) {
      wrong.push(...follower.mirror.complaints.map((text) => `${name}: ${text}`));
      wrong.push(...checkRemovals(api.userId, follower.mirror.heard, ledger, places, house.away));
    }
    return wrong;
  });
}

async function atDatabase<T>({ postgres }: House, work: (database: pg.Client) => Promise<T>): Promise<T> {
  const database = new pg.Client({ connectionString: postgres.url });
  await database.connect();
  try {
    return await work(database);
  } finally {
    await database.end();
  }
}

async function checkMirrors(people: Person[]): Promise<string[]> {
  const all = await Promise.all(people.map(({ name, api, follower }) => checkMirror(name, follower.mirror, api)));
  return all.flat();
}

/** Waits until everybody is connected and as far as the database is, and no agent speaks; not for ever, since that is to be judged. */
async function untilSettled(people: Person[], database: pg.Client): Promise<void> {
  const deadline = Date.now() + SETTLE_MS;
  while (!(await isSettled(people, database)) && Date.now() < deadline) await sleep(100);
}

async function isSettled(people: Person[], database: pg.Client): Promise<boolean> {
  if ((await openReplies(database)) > 0) return false;
  const { rows } = await database.query<{ id: string; rev: number }>(
    `SELECT id, last_rev::int AS rev FROM conversations`,
  );
  const heads = new Map(rows.map(({ id, rev }) => [id, rev]));
  return people.every(
    ({ follower: { isLive, mirror } }) =>
      isLive && !mirror.isSyncing && [...mirror.rooms].every(([id, { rev }]) => rev === heads.get(id)),
  );
}

async function comeBack(follower: Follower): Promise<void> {
  const before = follower.connections;
  follower.drop();
  while (follower.connections === before) await sleep(20);
}

async function untilLive(follower: Follower): Promise<void> {
  while (!follower.isLive) await sleep(20);
}

function figuresOf(ledger: Ledger, people: Person[]): Record<string, number> {
  const sum = (of: (one: Person) => number) => people.reduce((total, one) => total + of(one), 0);
  return {
    said: ledger.said.filter(({ fate }) => fate.end === 'done').length,
    'said after a doubt': ledger.said.filter(({ fate }) => fate.unsure).length,
    refused: ledger.said.filter(({ fate }) => fate.end === 'refused').length,
    edits: ledger.said.reduce((total, { edits }) => total + edits.filter(({ fate }) => fate.end === 'done').length, 0),
    deletions: ledger.said.filter(({ deletion }) => deletion?.end === 'done').length,
    reactions: [...ledger.reactions.values()].reduce((total, { acts }) => total + acts.length, 0),
    'joins and removals': [...ledger.memberships.values()].reduce((total, steps) => total + steps.length, 0),
    heard: sum(({ follower }) => follower.mirror.heard.length),
    connections: sum(({ follower }) => follower.connections),
    gaps: sum(({ follower }) => follower.mirror.gaps),
    strays: sum(({ follower }) => follower.mirror.strays),
  };
}
