import { defineEvent } from '../platform/events/event.js';
import type { Choice } from '../users/presence/presence-choice.entity.js';
import type { Status } from '../users/presence/roster.js';

/** Each node finds out for itself what to tell. To one's own devices it is what was chosen. */
export const PresenceTold = defineEvent<{ userId: string; status: Status | Choice }>('presence', 'here');
