import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

/** npm run test:chaos -- --seed 7 --seconds 300 */
const { values } = parseArgs({ options: { seed: { type: 'string' }, seconds: { type: 'string' } } });
const env = {
  ...process.env,
  CHAOS_SEED: values.seed ?? process.env.CHAOS_SEED ?? String(randomInt(1, 1_000_000)),
  CHAOS_SECONDS: values.seconds ?? process.env.CHAOS_SECONDS ?? '180',
};
const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
const { status } = spawnSync(process.execPath, [...jest, 'test/chaos'], { stdio: 'inherit', env });
process.exitCode = status ?? 1;
