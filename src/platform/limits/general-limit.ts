import { Injectable } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { Config } from '../config/config.js';
import { Problem } from '../http/problem.js';
import { sendProblem } from '../http/problem.filter.js';
import { RedisLink } from '../nodes/redis-link.js';
import { addressKey } from './address-key.js';
import { tooMany } from './limits.js';

const SECONDS = 60;
/** One address may be a whole office. */
const PER_ADDRESS = 12_000;
const PER_ACCOUNT = 3_000;

/**
 * The general limit on calls: it holds floods off, not guesses. The nodes count together over Redis; without it, or
 * while it cannot be reached, each counts for itself.
 */
@Injectable()
export class GeneralLimit {
  private readonly byAddress: SharedLimiter;
  private readonly byAccount: SharedLimiter;

  constructor(
    private readonly config: Config,
    link: RedisLink,
  ) {
    this.byAddress = new SharedLimiter('address', PER_ADDRESS, link);
    this.byAccount = new SharedLimiter('account', PER_ACCOUNT, link);
  }

  /** For every request, before anything is read of it. */
  readonly middleware = (request: Request, response: Response, next: NextFunction): void => {
    if (!this.config.rateLimit || request.path.startsWith('/health/')) return next();
    this.byAddress.consume(addressKey(request.ip ?? null)).then(
      (state) => {
        tell(response, PER_ADDRESS, state);
        next();
      },
      (refusal: unknown) => {
        if (refusal instanceof Problem) sendProblem(request, response, refusal);
        else next(refusal);
      },
    );
  };

  /** For a socket that is being opened: it counts as a call of its address. Throws 429. */
  async admit(address: string): Promise<void> {
    if (!this.config.rateLimit) return;
    await this.byAddress.consume(addressKey(address));
  }

  /** For every request of somebody signed in. Throws 429. */
  async spend(userId: string, response: Response): Promise<void> {
    if (!this.config.rateLimit) return;
    tell(response, PER_ACCOUNT, await this.byAccount.consume(userId));
  }
}

/** One limiter in memory and, where there is a Redis, one in it for each connection made to it. */
class SharedLimiter {
  private readonly alone: RateLimiterMemory;
  private shared: { client: unknown; limiter: RateLimiterAbstract } | undefined;

  constructor(
    private readonly what: string,
    private readonly points: number,
    private readonly link: RedisLink,
  ) {
    this.alone = new RateLimiterMemory(this.rule);
  }

  /** Throws 429 beyond the limit. */
  async consume(key: string): Promise<RateLimiterRes> {
    try {
      return await this.limiter.consume(key);
    } catch (refusal) {
      throw refusal instanceof RateLimiterRes ? tooMany(this.points, refusal) : refusal;
    }
  }

  private get limiter(): RateLimiterAbstract {
    const { client, isHealthy } = this.link;
    if (!client || !isHealthy) return this.alone;
    if (this.shared?.client !== client) {
      const limiter = new RateLimiterRedis({ ...this.rule, storeClient: client, insuranceLimiter: this.alone });
      this.shared = { client, limiter };
    }
    return this.shared.limiter;
  }

  private get rule() {
    return { keyPrefix: `parley:limit:${this.what}`, points: this.points, duration: SECONDS };
  }
}

function tell(response: Response, limit: number, { remainingPoints, msBeforeNext }: RateLimiterRes): void {
  response.setHeader('RateLimit-Limit', limit);
  response.setHeader('RateLimit-Remaining', remainingPoints);
  response.setHeader('RateLimit-Reset', Math.ceil(msBeforeNext / 1000));
}
