import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Database } from '../platform/database/database.js';

const EVERY_MS = 10 * 60_000;

/** What has had its time. Old events of accounts are kept for a year: what for, docs/security.md says. */
const SWEEPS = [
  `DELETE FROM account_notices WHERE noted_at < now() - interval '1 hour'`,
  `DELETE FROM nodes WHERE seen_at < now() - interval '1 hour'`,
  `DELETE FROM tickets WHERE expires_at < now()`,
  `DELETE FROM password_resets WHERE expires_at < now()`,
  `DELETE FROM rate_limits WHERE expire < extract(epoch FROM now()) * 1000`,
  `DELETE FROM logins WHERE expires_at < now() - interval '30 days' OR ended_at < now() - interval '30 days'`,
  `DELETE FROM account_events WHERE created_at < now() - interval '1 year'`,
];

/** Sweeps away what has expired, so that nothing about people is kept longer than it is of use. */
@Injectable()
export class Housekeeping implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(Housekeeping.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly database: Database) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.sweep(), EVERY_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private async sweep(): Promise<void> {
    try {
      for (const statement of SWEEPS) await this.database.query(statement);
    } catch (error) {
      this.logger.warn({ err: error as Error }, 'what has expired could not be swept away');
    }
  }
}
