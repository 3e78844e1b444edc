import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import { Problem } from '../../platform/http/problem.js';

/** Half of libuv's four threads: files and names are looked up by the others while a login storm goes on. */
const AT_ONCE = 2;
/** At some 30 ms each the last one waits about a second and a half. */
const MAX_WAITING = 100;

/** Bounds how many passwords are hashed at once, and how many wait for it. */
@Injectable()
export class HashingLine {
  private readonly line = pLimit(AT_ONCE);

  /** Throws 503 where too many wait already. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.line.pendingCount >= MAX_WAITING) {
      throw new Problem(503, 'overloaded', 'Too many people sign in right now. Try again shortly.', undefined, {
        'Retry-After': '2',
      });
    }
    return this.line(work);
  }
}
