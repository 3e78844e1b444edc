import { Injectable, Logger } from '@nestjs/common';
import { Database } from '../platform/database/database.js';

/** Counted since this node began; more than that takes long enough for PostgreSQL to look by itself. */
const AFTER = [100, 1_000, 10_000];

/**
 * A connection keeps the plans that it made while a table was all but empty and one index looked as good as another:
 * a send would look for its nonce among everything that its author ever said. PostgreSQL looks at a table that grows a
 * minute later at the earliest, and what fills fast is slow until then. So it is told to look as soon as there is
 * something to see, after which every connection plans anew.
 */
@Injectable()
export class EarlyStatistics {
  private readonly logger = new Logger(EarlyStatistics.name);
  private readonly after = [...AFTER];
  private stored = 0;

  constructor(private readonly database: Database) {}

  count(messages: number): void {
    this.stored += messages;
    if (this.stored < (this.after[0] ?? Infinity)) return;
    while (this.stored >= (this.after[0] ?? Infinity)) this.after.shift();
    this.look().catch((err: unknown) => this.logger.warn({ err }, 'the statistics of messages are as they were'));
  }

  private async look(): Promise<void> {
    const known = await this.database.one<{ messages: number }>(
      `SELECT reltuples AS messages FROM pg_class WHERE oid = 'messages'::regclass`,
    );
    if (known && known.messages > this.stored) return;
    await this.database.query(`ANALYZE messages, conversations, channels, memberships, sessions, threads, users`);
  }
}
