import { sqlState } from '../http/database-problem.js';
import { Problem } from '../http/problem.js';
import { defineEvent, type Topic } from '../events/event.js';

/**
 * The database went away in the middle of a commit: something may have been changed that nobody has announced. `rooms`
 * by their ids; `people`: whoever listens there may have gained or lost something.
 */
export const OutcomeUnknown = defineEvent<{ rooms: string[]; people: Topic[] }>('outcome.unknown');

/** How often it is looked at, a second apart, what became of it: the commit may come after its answer was given up. */
export const LOOKS = 5;

/** Whether what failed with this may have been committed all the same: no answer came, or the server was ended. */
export function isOutcomeUnknown(error: unknown): boolean {
  if (error instanceof Problem) return false;
  const state = sqlState(error);
  return state === undefined || !/^[0-9A-Z]{5}$/.test(state) || /^(08|57P0)/.test(state);
}
