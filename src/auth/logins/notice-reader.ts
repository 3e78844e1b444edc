import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Database } from '../../platform/database/database.js';
import { EventBus } from '../../platform/events/event-bus.js';
import type { DomainEvent } from '../../platform/events/event.js';
import { HintsLost } from '../../platform/nodes/nodes.events.js';
import { AccountChanged, LoginEnded, NoticesRead, ServerLost } from '../auth.events.js';

/** Promise 5: another node learns within a second. */
const EVERY_MS = 400;
/** Whatever an earlier look could not see was written by a transaction that had not begun, or not ended, by then. */
const NOTICES = `
  SELECT look.upto, n.id, n.user_id AS "userId", n.login_id AS "loginId",
    n.server_id AS "serverId", n.access_ended AS "accessEnded", n.event
  FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS upto) AS look
    LEFT JOIN account_notices n ON n.xact >= coalesce($1, look.upto)
  ORDER BY n.id`;

interface Notice {
  id: number | null;
  upto: number;
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
  private readonly seen = new LRUCache<number, true>({ max: 100_000 });
  private since: number | null = null;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly database: Database,
    private readonly bus: EventBus,
  ) {}

  /** The first look is before the first socket: it finds nothing that was written before it, only what comes after. */
  async onApplicationBootstrap(): Promise<void> {
    await this.read();
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
    const before = performance.now();
    try {
      const notices = await this.database.query<Notice>(NOTICES, [this.since]);
      for (const notice of notices) this.tell(notice);
      const upto = notices[0]?.upto ?? null;
      // Transactions only rise: another server has taken over that does not know the last ones of this one.
      if (upto !== null && this.since !== null && upto < this.since) this.bus.hear(HintsLost([], {}));
      this.since = upto;
      this.bus.hear(NoticesRead([], { before }));
    } catch (error) {
      this.logger.warn({ err: error as Error }, 'the notices of ended logins could not be read');
    }
  }

  /** Every node reads the notices for itself. */
  private tell({ id, userId, loginId, serverId, accessEnded, event }: Notice): void {
    if (id === null || this.seen.has(id)) return;
    this.seen.set(id, true);
    if (event) this.bus.hear(event);
    else if (serverId) this.bus.hear(ServerLost([], { userId, serverId }));
    else if (loginId) this.bus.hear(LoginEnded([], { userId, loginIds: [loginId], accessEnded }));
    else this.bus.hear(AccountChanged([], { userId }));
  }
}
