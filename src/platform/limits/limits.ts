import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { RateLimiterMemory, RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { Problem } from '../http/problem.js';
import { addressKey } from './address-key.js';

interface Rule {
  points: number;
  seconds: number;
}

/** What may be tried how often. Everything that guesses a secret or sends mail has a rule by account and by address. */
const RULES = {
  'sign-in by account': { points: 10, seconds: 900 },
  'sign-in by address': { points: 100, seconds: 900 },
  'register by address': { points: 600, seconds: 3600 },
  'password by account': { points: 10, seconds: 900 },
  'second factor by account': { points: 10, seconds: 900 },
  'refresh by address': { points: 300, seconds: 900 },
  'mail by account': { points: 5, seconds: 3600 },
  'mail by address': { points: 50, seconds: 3600 },
  'reset by address': { points: 50, seconds: 900 },
  'invite by account': { points: 60, seconds: 900 },
  'upload by account': { points: 600, seconds: 3600 },
  'export by account': { points: 10, seconds: 3600 },
} satisfies Record<string, Rule>;

export type LimitName = keyof typeof RULES;

/**
 * Counts tries in the database, so that a second node or a restart gives nobody more of them. While the database
 * cannot be reached each node counts for itself.
 */
@Injectable()
export class Limits {
  private readonly limiters: ReadonlyMap<LimitName, RateLimiterPostgres>;

  constructor(
    private readonly config: Config,
    database: Database,
  ) {
    this.limiters = new Map(
      (Object.keys(RULES) as LimitName[]).map((name) => [name, makeLimiter(name, RULES[name], database)]),
    );
  }

  /** Takes one try before it is made, so that many at once get no more than one after the other. Throws 429. */
  async spend(name: LimitName, key: string): Promise<void> {
    if (!this.config.rateLimit) return;
    try {
      await this.limiter(name).consume(hashed(key));
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      throw tooMany(RULES[name].points, refusal);
    }
  }

  async spendByAddress(name: LimitName, address: string | null): Promise<void> {
    await this.spend(name, addressKey(address));
  }

  /** Gives a try back that was no guess: it was right. */
  async giveBack(name: LimitName, key: string): Promise<void> {
    if (this.config.rateLimit) await this.limiter(name).reward(hashed(key));
  }

  async giveBackByAddress(name: LimitName, address: string | null): Promise<void> {
    await this.giveBack(name, addressKey(address));
  }

  private limiter(name: LimitName): RateLimiterPostgres {
    const limiter = this.limiters.get(name);
    if (!limiter) throw new Error(`There is no limit called ${name}.`);
    return limiter;
  }
}

export function tooMany(limit: number, { msBeforeNext }: RateLimiterRes): Problem {
  const seconds = String(Math.max(1, Math.ceil(msBeforeNext / 1000)));
  return new Problem(429, 'rate_limited', 'Too many tries. Wait and try again.', undefined, {
    'Retry-After': seconds,
    'RateLimit-Limit': String(limit),
    'RateLimit-Remaining': '0',
    'RateLimit-Reset': seconds,
  });
}

function makeLimiter(name: string, { points, seconds }: Rule, database: Database): RateLimiterPostgres {
  const rule = { points, duration: seconds, keyPrefix: name };
  return new RateLimiterPostgres({
    ...rule,
    storeClient: { query: (statement: { text: string; values: unknown[] }) => database.result(statement) },
    storeType: 'client',
    tableName: 'rate_limits',
    tableCreated: true,
    clearExpiredByTimeout: false,
    // Who is refused already costs the database nothing more.
    inMemoryBlockOnConsumed: points + 1,
    insuranceLimiter: new RateLimiterMemory(rule),
  });
}

/** Names and addresses of people do not stand in the table of limits. */
function hashed(key: string): string {
  return createHash('sha256').update(key).digest('base64url');
}
