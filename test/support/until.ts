import { setTimeout as pause } from 'node:timers/promises';

/** Asks again and again until it is so; the time limit of the test bounds it. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(50);
}
