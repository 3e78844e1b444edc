import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/actor.js';
import { Database } from '../platform/database/database.js';
import { LAST_ID, type Page, pageOf, type PageQuery, readCursor } from '../platform/http/paging.js';
import { presentSession, SESSION_ROWS, type SessionRow, type SessionView } from './session.presenter.js';
import type { SessionsQuery } from './sessions.dto.js';

const TYPES = ['agent', 'peer'];
const STATUSES = ['open', 'closed'];
/** Before the first page: later than anything there is. */
const TOP = ['infinity', LAST_ID];

/** One end of a range of an index, for each status. */
const newest = (range: string) => `
  CROSS JOIN LATERAL (
    SELECT id, active_at FROM sessions
    WHERE ${range} AND status = wanted_status AND (active_at, id) < ($4::timestamptz, $5::uuid)
    ORDER BY active_at DESC, id DESC LIMIT $6
  ) found`;

/**
 * The sessions of the person `$1` and those they help in, of the types `$2` and the statuses `$3`: a page is the newest
 * of a few ranges of indexes, each no longer than the page, so it costs the same however many there are.
 */
const page = (owned: string, helped: string) => `
  WITH page AS (
    SELECT id, active_at FROM unnest($3::text[]) AS wanted_status ${owned}
    UNION
    SELECT id, active_at FROM unnest($3::text[]) AS wanted_status ${newest(helped)}
    ORDER BY active_at DESC, id DESC LIMIT $6
  )
  ${SESSION_ROWS} JOIN page ON page.id = s.id ORDER BY s.active_at DESC, s.id DESC`;

// Who helps does so in peer sessions, and those have no agent: of other types there is nothing, and nothing is read.
const ALL = page(
  `CROSS JOIN unnest($2::text[]) AS wanted_type ${newest('owner_id = $1 AND type = wanted_type')}`,
  `'peer' = ANY($2) AND advocate_id = $1`,
);
const OF_AGENT = page(newest(`'agent' = ANY($2) AND owner_id = $1 AND agent_id = $7`), 'false');

const STANDING = page(newest('owner_id = $1 AND standing AND type = ANY($2)'), 'false');

/** What a person has in sessions, latest activity first. */
@Injectable()
export class SessionList {
  constructor(private readonly database: Database) {}

  /** The caller's own and those they are the advocate of. */
  of({ userId }: Actor, { type, status, agentId, cursor, limit }: SessionsQuery): Promise<Page<SessionView>> {
    const wanted = [type ? [type] : TYPES, status ? [status] : STATUSES];
    return agentId
      ? this.page(OF_AGENT, userId, wanted, { cursor, limit }, agentId)
      : this.page(ALL, userId, wanted, { cursor, limit });
  }

  /** Of the caller's own, the one with each agent that `by-agent` finds. */
  standing({ userId }: Actor, page: PageQuery): Promise<Page<SessionView>> {
    return this.page(STANDING, userId, [['agent'], STATUSES], page);
  }

  private async page(
    sql: string,
    userId: string,
    wanted: string[][],
    { cursor, limit }: PageQuery,
    ...more: string[]
  ): Promise<Page<SessionView>> {
    const [activity, id] = readCursor(cursor, ['time', 'id']) ?? TOP;
    const rows = await this.database.prepared<SessionRow>(sql, [userId, ...wanted, activity, id, limit + 1, ...more]);
    return pageOf(
      rows,
      limit,
      (row) => [row.activity.toISOString(), row.id],
      (row) => presentSession(row),
    );
  }
}
