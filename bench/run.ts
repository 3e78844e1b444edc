import { writeFile } from 'node:fs/promises';
import type { Measure } from './bench.js';
import { F1, F2 } from './figures/fan-out.js';
import { G1, G2 } from './figures/growth.js';
import { I1 } from './figures/i1.js';
import { M1 } from './figures/idle.js';
import { L1 } from './figures/latency.js';
import { N1 } from './figures/nodes.js';
import { A1, A2 } from './figures/replies.js';
import { R1, R2 } from './figures/resume.js';
import { H1, W3 } from './figures/rest.js';
import { W1, W2 } from './figures/sends.js';
import { S1 } from './figures/soak.js';
import { type Figure, table } from './support/compare.js';
import { openHouse } from './support/house.js';
import { serve } from './support/processes.js';

const MEASURES: Record<string, Measure> = { F1, F2, W1, W2, W3, H1, L1, M1, R1, R2, N1, A1, A2, G1 };
/** Only by name: each round takes minutes, S1 two hours. */
const LONG: Record<string, Measure> = { I1, G2, S1 };

/** npm run bench [-- <start of an id, or all> [rounds]] */
const [only = 'all', roundsGiven = '5'] = process.argv.slice(2);
const rounds = Number(roundsGiven);
const named = only === 'all' ? MEASURES : { ...MEASURES, ...LONG };
const chosen = Object.entries(named).filter(([id]) => only === 'all' || id.startsWith(only));
if (chosen.length === 0) throw new Error(`There is no figure ${only}: ${Object.keys(named).join(', ')}`);

const house = await openHouse();
const bare = await serve('bench/floors/ws-loop.js', {}, '/');
const figures: Figure[] = [];
try {
  for (const [id, measure] of chosen) {
    process.stderr.write(`${id} ...\n`);
    figures.push(...(await measure({ house, bare, rounds })));
  }
} finally {
  await bare.stop();
  await house.close();
}
process.stdout.write(`${table(figures)}\n`);
await writeFile('bench-result.json', `${JSON.stringify({ node: process.version, rounds, figures }, null, 2)}\n`);
