import type { components } from './schema.js';

export type Message = components['schemas']['MessageView'];
export type Profile = components['schemas']['Profile'];
type Item = components['schemas']['InboxItem'];

/** `ready` gives a `title` only outside servers, and a `parent` only of threads. */
export type ConversationState = Omit<Item, 'lastMessage' | 'lastMessageAt' | 'title' | 'parent'> &
  Partial<Pick<Item, 'title' | 'parent'>>;

/** What the server says first: who this is, and where each of their conversations stands. */
export interface Ready {
  type: 'ready';
  connectionId: string;
  user: Profile;
  presence: 'online' | 'away' | 'dnd' | 'invisible';
  heartbeatSeconds: number;
  conversations: ConversationState[];
}

export interface MessageEvent {
  type: 'message.created' | 'message.updated' | 'message.deleted';
  conversationId: string;
  rev: number;
  message: Message;
}

export interface Cleared {
  type: 'conversation.cleared';
  conversationId: string;
  rev: number;
  clearedSeq: number;
}

/** One page of the answer to `sync`. */
export interface Changes {
  type: 'changes';
  ref?: string;
  conversationId: string;
  items: Message[];
  rev: number;
  more: boolean;
  reset: boolean;
  clearedSeq: number;
}

export interface Ack {
  type: 'ack';
  ref?: string;
  message?: Message;
  [field: string]: unknown;
}

export interface Refusal {
  type: 'error';
  ref?: string;
  code: string;
  message: string;
  errors?: { path: string; message: string }[];
}

/** Any other event: its fields are in docs/asyncapi.yaml. */
export interface OtherFrame {
  type: string;
  [field: string]: unknown;
}

export function isMessageEvent(frame: { type: string }): frame is MessageEvent {
  return ['message.created', 'message.updated', 'message.deleted'].includes(frame.type);
}

/** A refusal by the server, with the `code` that stays. */
export class RefusedError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly errors: { path: string; message: string }[] = [],
  ) {
    super(message);
    this.name = 'RefusedError';
  }
}

/** The connection went before the answer came: whether it was done is not known. */
export class DisconnectedError extends Error {
  constructor() {
    super('The connection went before the answer came.');
    this.name = 'DisconnectedError';
  }
}
