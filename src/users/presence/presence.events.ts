import { defineEvent } from '../../platform/events/event.js';
import type { Chosen, PresenceChange } from './neighbours.js';

/** Somebody chose how to be seen. */
export const PresenceChosen = defineEvent<{ userId: string; chosen: Chosen }>('presence.chosen');

/** For this node alone: these people look different to others now. */
export const PresenceChanged = defineEvent<{ userIds: string[] }>('presence.changed', 'here');

/** From node to node: who has come and gone since the version before. Without changes it is a sign of life. */
export const NodePresence = defineEvent<{ nodeId: string; version: number; changes: PresenceChange[] }>(
  'presence.node',
);

/** From node to node: everybody who has a device there. */
export const WholeNodePresence = defineEvent<{ nodeId: string; version: number; people: [string, Chosen][] }>(
  'presence.node.whole',
);

/** To one node: tell who is there, something you told got lost. */
export const NodePresenceWanted = defineEvent<{ nodeId: string }>('presence.node.wanted');
