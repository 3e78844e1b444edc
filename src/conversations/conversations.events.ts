import { defineEvent } from '../platform/events/event.js';
import type { Profile } from '../users/profile.presenter.js';
import type { ConversationState } from './conversation-state.js';

export const ConversationCreated = defineEvent<{ conversation: ConversationState }>('conversation.created');
export const ConversationUpdated = defineEvent<{ conversation: ConversationChange }>('conversation.updated');
export const ConversationDeleted = defineEvent<{ conversationId: string }>('conversation.deleted');

/** Everything up to `clearedSeq` is gone. */
export const ConversationCleared = defineEvent<{ conversationId: string; rev: number; clearedSeq: number }>(
  'conversation.cleared',
);

/** How far somebody has read; in a peer session with the time, which is the `readAt` of what they have newly read. */
export const ConversationRead = defineEvent<{ conversationId: string; userId: string; seq: number; readAt?: string }>(
  'read',
);

/** What of a room can change without its messages. What is left out has not changed. */
export interface ConversationChange {
  id: string;
  title?: string | null;
  /** Of a session. */
  status?: 'open' | 'closed';
  /** Of an agent session: how it stands with the agent's reply. */
  reply?: { id: string; status: 'waiting' | 'running' | 'done' | 'failed' | 'stopped'; error: string | null };
  type?: 'agent' | 'peer';
  advocate?: Profile | null;
}
