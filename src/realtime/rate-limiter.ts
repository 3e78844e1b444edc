import type { Connection } from './connection.js';

/** Frames a second that a socket may send in the long run, and how many of them at once. */
const PER_SECOND = 50;
const BURST = 200;

/** A token bucket for each socket. */
export class RateLimiter {
  private readonly buckets = new WeakMap<Connection, { tokens: number; at: number }>();

  constructor(private readonly on: boolean) {}

  admits(connection: Connection): boolean {
    if (!this.on) return true;
    const now = performance.now();
    const bucket = this.buckets.get(connection) ?? { tokens: BURST, at: now };
    bucket.tokens = Math.min(BURST, bucket.tokens + ((now - bucket.at) / 1000) * PER_SECOND);
    bucket.at = now;
    this.buckets.set(connection, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}
