import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Database } from '../../platform/database/database.js';
import { EventBus } from '../../platform/events/event-bus.js';
import type { DomainEvent } from '../../platform/events/event.js';
import { AccountChanged, LoginEnded, ServerLost } from '../auth.events.js';

/** Promise 5: another node learns within a second. */
const EVERY_MS = 400;
/** A notice bears the time it was written, and is seen when its transaction commits: look back that far. */
const OVERLAP = '10 seconds';

interface Notice {
  id: number;
  userId: string;
  event: DomainEvent | null;
  loginId: string | null;
  serverId: string | null;
  accessEnded: boolean;
}

/** Tells this node what ended or changed elsewhere: on another node, or by a command beside the app. */
@Injectable()
export class NoticeReader implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(NoticeReader.name);
  private readonly seen = new LRUCache<number, true>({ max: 100_000, ttl: 60_000 });
  private since: Date | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly database: Database,
    private readonly bus: EventBus,
  ) {}

  onApplicationBootstrap(): void {
    this.again();
  }

  onApplicationShutdown(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private again(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      void this.read().finally(() => this.again());
    }, EVERY_MS).unref();
  }

  private async read(): Promise<void> {
    try {
      const now = await this.database.one<{ now: Date }>(`SELECT clock_timestamp() AS now`);
      const notices = await this.database.query<Notice>(
        `SELECT id, user_id AS "userId", login_id AS "loginId", server_id AS "serverId",
           access_ended AS "accessEnded", event FROM account_notices
         WHERE noted_at > coalesce($1, clock_timestamp()) - interval '${OVERLAP}' ORDER BY id`,
        [this.since ?? null],
      );
      for (const notice of notices) this.tell(notice);
      this.since = now?.now;
    } catch (error) {
      this.logger.warn({ err: error as Error }, 'the notices of ended logins could not be read');
    }
  }

  /** Every node reads the notices for itself. */
  private tell({ id, userId, loginId, serverId, accessEnded, event }: Notice): void {
    if (this.seen.has(id)) return;
    this.seen.set(id, true);
    if (event) this.bus.hear(event);
    else if (serverId) this.bus.hear(ServerLost([], { userId, serverId }));
    else if (loginId) this.bus.hear(LoginEnded([], { userId, loginIds: [loginId], accessEnded }));
    else this.bus.hear(AccountChanged([], { userId }));
  }
}
