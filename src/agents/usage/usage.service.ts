import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { type Page, pageOf, type PageQuery, readCursor } from '../../platform/http/paging.js';
import { Problem } from '../../platform/http/problem.js';
import type { AgentUsageView, UsageQuery, UsageView } from './usage.dto.js';

const MONTH = `to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM')`;
const monthAfter = (month: string) => `((${month} || '-01')::timestamp + interval '1 month') AT TIME ZONE 'UTC'`;
const start = (month: string) => `(${month} || '-01')::timestamp AT TIME ZONE 'UTC'`;

/** What answers have cost, summed from one range of an index. */
@Injectable()
export class UsageService {
  constructor(private readonly database: Database) {}

  /** Of one person, by month and agent, the newest month first. */
  async ofPerson(userId: string, { month, cursor, limit }: UsageQuery): Promise<Page<UsageView>> {
    const [last, agentId] = readCursor(cursor, ['string', 'id']) ?? [];
    const rows = await this.database.query<UsageView>(
      `SELECT used.month, json_build_object('id', a.id, 'slug', a.slug, 'name', a.name) AS agent,
         used.replies, used."tokensUsed"
       FROM (
         SELECT ${MONTH} AS month, agent_id, count(*) AS replies, sum(tokens) AS "tokensUsed"
         FROM token_usage
         WHERE user_id = $1
           AND ($2::text IS NULL OR created_at >= ${start('$2')} AND created_at < ${monthAfter('$2')})
           AND ($3::text IS NULL OR created_at < ${monthAfter('$3')})
         GROUP BY 1, 2
       ) used JOIN agents a ON a.id = used.agent_id
       WHERE $3::text IS NULL OR used.month < $3 OR used.month = $3 AND used.agent_id > $4::uuid
       ORDER BY used.month DESC, used.agent_id LIMIT $5`,
      [userId, month ?? null, monthOf(last), agentId ?? null, limit + 1],
    );
    return pageOf(
      rows,
      limit,
      (row) => [row.month, row.agent.id],
      (row) => row,
    );
  }

  /** Of one agent, by month, the newest first. */
  async ofAgent(agentId: string, { cursor, limit }: PageQuery): Promise<Page<AgentUsageView>> {
    const [last] = readCursor(cursor, ['string']) ?? [];
    const rows = await this.database.query<AgentUsageView>(
      `SELECT ${MONTH} AS month, count(DISTINCT user_id) AS people, count(*) AS replies, sum(tokens) AS "tokensUsed"
       FROM token_usage
       WHERE agent_id = $1 AND ($2::text IS NULL OR created_at < ${start('$2')})
       GROUP BY 1 ORDER BY 1 DESC LIMIT $3`,
      [agentId, monthOf(last), limit + 1],
    );
    return pageOf(
      rows,
      limit,
      (row) => [row.month],
      (row) => row,
    );
  }
}

/** A made-up cursor must not reach PostgreSQL as a time that is none. */
function monthOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(text)) throw Problem.invalid('cursor', 'is not one that this list gave out');
  return text;
}
