import { defineEvent } from '../platform/events/event.js';
import type { Profile } from '../users/profile.presenter.js';

export interface SomebodyTyping {
  conversationId: string;
  user: Profile;
}

export const TypingStarted = defineEvent<SomebodyTyping>('typing.start');
export const TypingStopped = defineEvent<SomebodyTyping>('typing.stop');
