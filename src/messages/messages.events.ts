import type { Room } from '../access/facts.js';
import { defineEvent } from '../platform/events/event.js';
import type { MessageView } from './message.presenter.js';

export interface MessageChange {
  conversationId: string;
  rev: number;
  message: MessageView;
}

export const MessageCreated = defineEvent<MessageChange>('message.created');
export const MessageUpdated = defineEvent<MessageChange>('message.updated');
export const MessageDeleted = defineEvent<MessageChange>('message.deleted');

/**
 * For the house alone: a message has been stored in this room, and asks an agent for this reply. `joined` says that its
 * author takes part in the thread since then.
 */
export const MessageStored = defineEvent<{
  room: Room;
  message: MessageView;
  replyId: string | null;
  joined: boolean;
}>('message.stored', 'here');
