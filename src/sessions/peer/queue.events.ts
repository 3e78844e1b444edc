import type { Topic } from '../../platform/events/event.js';
import { defineEvent } from '../../platform/events/event.js';
import type { Profile } from '../../users/profile.presenter.js';
import type { QueuedSession } from './queue.presenter.js';

/** All advocates who are online. */
export const ADVOCATES: readonly Topic[] = ['advocates'];

/** Somebody waits for an advocate. */
export const SessionQueued = defineEvent<{ session: QueuedSession }>('session.queued');

/** An advocate has taken a session that waited: its owner and the other advocates are told. */
export const SessionClaimed = defineEvent<{ sessionId: string; advocate: Profile }>('session.claimed');

/** It waits no longer, and nobody has claimed it: it was closed, deleted or given to somebody. */
export const SessionDequeued = defineEvent<{ sessionId: string }>('session.dequeued');
