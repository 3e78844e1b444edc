import { setTimeout as pause } from 'node:timers/promises';
import type { Bench } from '../bench.js';
import { compare, type Figure, goal, median } from '../support/compare.js';
import { makeNeighbourhood } from '../support/neighbourhood.js';
import { load, residentKiB } from '../support/processes.js';

const PEOPLE = 220;
const ROOMS = 20;
const MINUTES = 120;
const SAMPLE_MS = 10_000;

interface Soaked {
  sent: number;
  acked: number;
  refused: number;
  failed: number;
  clientCpu: number;
}

/** Two hours of 220 people who write, edit, read, leave and come back: how much memory it has taken at their end. */
export async function S1({ house }: Bench): Promise<Figure[]> {
  const task = { ...(await makeNeighbourhood(house, PEOPLE, ROOMS)), url: house.app.url };
  const resident: number[] = [];
  const round = async () => {
    const soaked = load<Soaked>('soak.js', { ...task, seconds: MINUTES * 60 });
    let isOver = false;
    void soaked.finally(() => (isOver = true)).catch(() => undefined);
    while (!isOver) {
      await pause(SAMPLE_MS);
      resident.push(residentKiB(house.app.pid) / 1024);
      if (resident.length % 60 === 0) process.stderr.write(`S1 ${resident.length / 6} min: ${resident.at(-1)} MiB\n`);
    }
    const { clientCpu, ...counts } = await soaked;
    process.stderr.write(`S1 ${JSON.stringify(counts)}\n`);
    return { value: growthAnHour(resident), clientCpu };
  };
  return [
    await compare(
      { id: 'S1', what: `memory after ${MINUTES} minutes of load`, unit: 'MiB / h', goal: '1 MB an hour' },
      1,
      goal(1),
      round,
    ),
  ];
}

/**
 * Between the second and the last quarter: in the first one caches fill. Their medians, since the heap breathes with each
 * collection.
 */
function growthAnHour(samples: number[]): number {
  const quarter = Math.floor(samples.length / 4);
  const growth = median(samples.slice(-quarter)) - median(samples.slice(quarter, 2 * quarter));
  return growth / ((2 * quarter * SAMPLE_MS) / 3_600_000);
}
