import { hasCode } from '../error-code.js';

/** How often what a deadlock has ended is run before its caller is told. */
export const DEADLOCK_TRIES = 4;

/** True where it was ended because it waited in a circle: PostgreSQL ends one, after a second, and the others go on. */
export function isDeadlock(error: unknown): boolean {
  return hasCode(error, '40P01');
}
