import type { Way } from '../support/tcp-proxy.js';
import { Chance } from './chance.js';

export const PEOPLE = 20;
export const SERVERS = 2;
/** The sessions of the first people after the administrator; and how many of the last people are advocates. */
export const SESSIONS = ['peer', 'peer', 'agent'] as const;
export const ADVOCATES = 4;
export const NODES = 2;

/** What a person does next; whom and what it concerns is found among what there is when its time comes. */
export interface Act {
  /** Milliseconds after the beginning. */
  at: number;
  kind: 'send' | 'edit' | 'delete' | 'react' | 'unreact' | 'remove' | 'add' | 'claim' | 'release' | 'clear' | 'thread';
  over: 'rest' | 'socket';
  node: number;
  /** Chooses among what there is, by remainder. */
  lot: number;
}

export interface Fault {
  at: number;
  kind: (typeof FAULTS)[number];
  /** How long it lasts, where it does not end by itself. */
  ms: number;
  node: number;
  /** Which way nothing gets through, where a node is cut off. */
  way: Way;
}

export const FAULTS = [
  'node killed',
  'node stopped',
  'node frozen',
  'node cut off from redis',
  'node cut off from postgres',
  'redis killed',
  'redis flushed',
  'redis frozen',
  'postgres restarted',
  'postgres crashed',
  'postgres frozen',
] as const;

export interface Plan {
  seed: number;
  ms: number;
  /** For each person, in order of time. The first of them runs the servers. */
  acts: Act[][];
  faults: Fault[];
}

type Weights = Partial<Record<Act['kind'], number>>;

const REST_MS = [900, 2_600] as const;
const LASTS_MS: Record<Fault['kind'], readonly [number, number]> = {
  'node killed': [200, 2_000],
  'node stopped': [0, 500],
  'node frozen': [500, 4_000],
  'node cut off from redis': [500, 5_000],
  'node cut off from postgres': [500, 3_000],
  'redis killed': [100, 3_000],
  'redis flushed': [0, 0],
  'redis frozen': [500, 5_000],
  'postgres restarted': [0, 300],
  'postgres crashed': [0, 300],
  'postgres frozen': [300, 2_500],
};

/** The same for the same seed and length: which acts and which faults, and when. */
export function planOf(seed: number, seconds: number): Plan {
  const chance = new Chance(seed);
  const ms = seconds * 1000;
  const acts = Array.from({ length: PEOPLE }, (_, i) => actsOf(i, chance, ms));
  return { seed, ms, acts, faults: faultsOf(chance, ms) };
}

const ADMIN: Weights = { send: 2, remove: 4, add: 4 };
const MEMBER: Weights = { send: 10, edit: 4, delete: 1, react: 3, unreact: 1 };
const OWNER: Weights = { ...MEMBER, clear: 1, thread: 1 };
const ADVOCATE: Weights = { ...MEMBER, claim: 4, release: 3 };

function actsOf(person: number, chance: Chance, ms: number): Act[] {
  const weights = weightsOf(person);
  const acts: Act[] = [];
  for (let at = chance.between(0, 300); at < ms; at += chance.between(50, 350)) {
    acts.push({
      at,
      kind: chance.weighted(weights),
      over: chance.pick(['rest', 'socket'] as const),
      node: chance.between(0, NODES - 1),
      lot: chance.between(0, 1_000_000),
    });
  }
  return acts;
}

function weightsOf(person: number): Weights {
  if (person === 0) return ADMIN;
  if (person <= SESSIONS.length) return OWNER;
  return person < PEOPLE - ADVOCATES ? MEMBER : ADVOCATE;
}

/** Each kind once before any comes again. What they hit may still be away when the next one strikes. */
function faultsOf(chance: Chance, ms: number): Fault[] {
  const faults: Fault[] = [];
  let deck: Fault['kind'][] = [];
  for (let at = 1_500; at < ms; at += chance.between(...REST_MS)) {
    if (deck.length === 0) deck = chance.shuffled(FAULTS);
    const kind = deck.pop() as Fault['kind'];
    const ms = chance.between(...LASTS_MS[kind]);
    faults.push({ at, kind, ms, node: chance.between(0, NODES - 1), way: chance.pick(['in', 'out', 'both'] as const) });
  }
  return faults;
}
