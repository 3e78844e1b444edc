import { defineEvent } from '../platform/events/event.js';

/** Something that is worth a sign to this person, by what they have chosen. The message itself comes as ever. */
export const Notification = defineEvent<NotificationData>('notification');

export interface NotificationData {
  reason: 'mention' | 'message';
  conversationId: string;
  serverId: string | null;
  messageId: string;
  seq: number;
}
