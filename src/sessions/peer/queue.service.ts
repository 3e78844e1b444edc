import { Injectable } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import { Database } from '../../platform/database/database.js';
import { type Page, pageOf, type PageQuery, readCursor } from '../../platform/http/paging.js';
import { Problem } from '../../platform/http/problem.js';
import { presentQueued, QUEUED_ROWS, type QueuedRow, type QueuedSession } from './queue.presenter.js';

/** Who waits for an advocate. */
@Injectable()
export class QueueService {
  constructor(private readonly database: Database) {}

  /** Longest waiting first, without the caller's own. Throws 403 to those who are no advocates. */
  async list({ userId, isAdvocate }: Actor, { limit, cursor }: PageQuery): Promise<Page<QueuedSession>> {
    if (!isAdvocate) throw Problem.forbidden('Only advocates see who waits.');
    const [queuedAt, id] = readCursor(cursor, ['time', 'id']) ?? [];
    const rows = await this.database.query<QueuedRow>(
      `${QUEUED_ROWS} AND s.owner_id <> $1 AND ($2::timestamptz IS NULL OR (s.queued_at, s.id) > ($2, $3::uuid))
       ORDER BY s.queued_at, s.id LIMIT $4`,
      [userId, queuedAt ?? null, id ?? null, limit + 1],
    );
    return pageOf(rows, limit, (row) => [row.queuedAt.toISOString(), row.id], presentQueued);
  }
}
