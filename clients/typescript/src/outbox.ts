import { RefusedError, type Message } from './frames.js';

export interface Draft {
  conversationId: string;
  content: string;
  replyToId?: string | undefined;
  attachmentIds?: string[] | undefined;
}

/** A send that is not acknowledged yet: show it at once, and replace it by what `stored` gives. */
export interface Pending {
  readonly nonce: string;
  readonly draft: Draft;
  /** Settles when the server has stored it, however often the connection broke meanwhile. Throws RefusedError. */
  readonly stored: Promise<Message>;
}

interface Entry extends Pending {
  resolve(message: Message): void;
  reject(error: Error): void;
}

/** Worth another try: the server could not, this time. */
export const FOR_NOW: ReadonlySet<string> = new Set([
  'overloaded',
  'unavailable',
  'rate_limited',
  'internal',
  'storage_full',
]);

/**
 * Keeps sends until they are acknowledged. Each has a nonce, with which the server makes one message of however many
 * tries; they are sent in the order in which they were made.
 */
export class Outbox {
  private readonly waiting = new Map<string, Entry>();

  add(draft: Draft): Pending {
    const nonce = crypto.randomUUID();
    let settle: Pick<Entry, 'resolve' | 'reject'> | undefined;
    const stored = new Promise<Message>((resolve, reject) => (settle = { resolve, reject }));
    const entry: Entry = { nonce, draft, stored, ...(settle as unknown as Pick<Entry, 'resolve' | 'reject'>) };
    this.waiting.set(nonce, entry);
    return entry;
  }

  get frames(): object[] {
    return [...this.waiting.values()].map(({ nonce, draft }) => frameOf(nonce, draft));
  }

  frame(nonce: string): object | undefined {
    const entry = this.waiting.get(nonce);
    return entry && frameOf(nonce, entry.draft);
  }

  acknowledge(nonce: string, message: Message): void {
    this.waiting.get(nonce)?.resolve(message);
    this.waiting.delete(nonce);
  }

  /** True where it should be tried again. */
  refuse(nonce: string, error: RefusedError): boolean {
    if (FOR_NOW.has(error.code)) return this.waiting.has(nonce);
    this.waiting.get(nonce)?.reject(error);
    this.waiting.delete(nonce);
    return false;
  }

  abandon(error: Error): void {
    for (const entry of this.waiting.values()) entry.reject(error);
    this.waiting.clear();
  }
}

/** The nonce is the ref too: the answer finds its send, also one that was sent on an earlier connection. */
function frameOf(nonce: string, { conversationId, content, replyToId, attachmentIds }: Draft): object {
  return {
    type: 'message.send',
    ref: nonce,
    nonce,
    conversationId,
    content,
    ...(replyToId !== undefined && { replyToId }),
    ...(attachmentIds !== undefined && { attachmentIds }),
  };
}
