import { defineEvent } from '../platform/events/event.js';

/** Somebody's standing changed somewhere: what is remembered of that scope no longer counts. Announced first. */
export const StandingChanged = defineEvent<{ scope: Scope }>('standing.changed');

export type Scope = `server:${string}` | `conversation:${string}`;
