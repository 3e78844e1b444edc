import type { Figure } from './support/compare.js';
import type { House } from './support/house.js';
import type { Running } from './support/processes.js';

/** What all figures of one run share. */
export interface Bench {
  /** The app as it is delivered, on a PostgreSQL of its own. */
  house: House;
  /** The floor of sockets: a bare `ws` loop. */
  bare: Running;
  rounds: number;
}

export type Measure = (bench: Bench) => Promise<Figure[]>;

/** How long each round is measured. */
export const SECONDS = 4;
