/** What is needed of a WebSocket: the browsers' own, Node's from 22 on, or that of the package `ws`. */
export interface SocketLike {
  readonly readyState: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
}

export type SocketConstructor = new (url: string) => SocketLike;

export const OPEN = 1;

/** Close codes after which coming back is of no use (docs/protocol.md). */
const FINAL: Record<number, string> = { 4003: 'access ended', 4009: 'too many errors', 1009: 'a frame was too large' };

export function finalReason(code: number): string | undefined {
  return FINAL[code];
}

/** Throws where the platform has none and none is given. */
export function socketConstructor(given: SocketConstructor | undefined): SocketConstructor {
  const found = given ?? (globalThis as { WebSocket?: SocketConstructor }).WebSocket;
  if (!found) throw new Error('There is no WebSocket here: give one, such as that of the package ws.');
  return found;
}
