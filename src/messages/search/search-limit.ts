import { Injectable } from '@nestjs/common';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { Config } from '../../platform/config/config.js';
import { tooMany } from '../../platform/limits/limits.js';

const SEARCHES = 300;

/** How many searches somebody makes a minute, counted by each node: a search costs what a hundred other calls do. */
@Injectable()
export class SearchLimit {
  private readonly byAccount = new RateLimiterMemory({ points: SEARCHES, duration: 60 });

  constructor(private readonly config: Config) {}

  /** Throws 429. */
  async spend(userId: string): Promise<void> {
    if (!this.config.rateLimit) return;
    try {
      await this.byAccount.consume(userId);
    } catch (refusal) {
      throw refusal instanceof RateLimiterRes ? tooMany(SEARCHES, refusal) : refusal;
    }
  }
}
