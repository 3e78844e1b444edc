import { defineEvent } from '../platform/events/event.js';

/** Somebody's standing changed somewhere: what is remembered of that scope no longer counts. Announced first. */
export const StandingChanged = defineEvent<{ scope: Scope }>('standing.changed');

/** The same as the database notes it, on every node within half a second, whatever became of the news. */
export const StandingNoted = defineEvent<{ scope: Scope }>('standing.noted', 'here');

export type Scope = `server:${string}` | `conversation:${string}`;
