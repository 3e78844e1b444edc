import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { hasRedis } from '../support/redis-server.js';
import { planOf } from './plan.js';
import { runPlan } from './run.js';

const seed = Number(process.env.CHAOS_SEED ?? 77);
const seconds = Number(process.env.CHAOS_SECONDS ?? 16);

/** `npm run test:chaos` is the long form, with another seed each time. */
(hasRedis && process.platform !== 'win32' ? describe : describe.skip)('twenty people on two nodes', () => {
  it(
    'lose nothing, double nothing and hold what is there, while nodes, Redis and PostgreSQL are killed and restarted',
    async () => {
      const plan = planOf(seed, seconds);
      const faults = plan.faults.map(
        ({ at, kind, ms, node, way }) =>
          `${at} ${kind}${kind.startsWith('node') ? ` ${node}` : ''}${kind.includes('cut off') ? ` ${way}` : ''} ${ms}`,
      );
      process.stdout.write(`Chaos: CHAOS_SEED=${seed} CHAOS_SECONDS=${seconds}\n  ${faults.join('\n  ')}\n`);
      const { wrong, figures, logs } = await runPlan(plan);
      process.stdout.write(`${JSON.stringify(figures)}\n`);
      if (wrong.length > 0) process.stdout.write(`The nodes' logs are in ${keep(logs)}.\n`);
      expect(wrong.slice(0, 20)).toEqual([]);
    },
    (seconds + 240) * 1000,
  );
});

function keep(logs: string[]): string {
  const folder = os.tmpdir();
  logs.forEach((log, i) => writeFileSync(path.join(folder, `parley-chaos-${seed}-node-${i}.log`), log));
  return folder;
}
