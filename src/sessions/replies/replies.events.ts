import { defineEvent } from '../../platform/events/event.js';

/**
 * A piece of an answer that is being given. It stands at `at`, counted in UTF-16 units, and whatever a client holds from
 * there on is not part of the answer: at 0 a reply begins, or begins anew.
 */
export interface Delta {
  conversationId: string;
  replyId: string;
  at: number;
  text: string;
}

export const MessageDelta = defineEvent<Delta>('message.delta');

/** For the house alone: somebody wants this reply stopped, or the agent has no say in this session any more. */
export const ReplyStopWanted = defineEvent<{ replyId: string }>('reply.stop-wanted');
export const AgentSilenced = defineEvent<{ sessionId: string }>('agent.silenced');
