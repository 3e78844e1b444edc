import { defineEvent } from '../events/event.js';

/** For this node alone: other nodes announced something that did not arrive. What it was stands in the database. */
export const HintsLost = defineEvent<Record<string, never>>('hints.lost', 'here');
