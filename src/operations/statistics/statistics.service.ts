import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { type Page, pageOf, readCursor } from '../../platform/http/paging.js';
import { Hub } from '../../realtime/hub.js';
import { type ConnectionsQuery, ConnectionView, presentConnection, Statistics } from './statistics.dto.js';

/** Up to here things are counted; beyond, PostgreSQL's own estimate is given, since nobody waits for a count of millions. */
const COUNTED = 10_000;
const CHANNELS_SHOWN = 100;

/** What there is and who is here, at a cost that does not grow with the messages. */
@Injectable()
export class StatisticsService {
  constructor(
    private readonly database: Database,
    private readonly hub: Hub,
  ) {}

  async read(): Promise<Statistics> {
    const [users, conversations, activeUsers, messagesPerChannel] = await Promise.all([
      this.size('users'),
      this.size('conversations'),
      this.activeUsers(),
      this.largestChannels(),
    ]);
    const isEstimate = users > COUNTED || conversations > COUNTED;
    const messages = conversations > COUNTED ? await this.estimate('messages') : await this.countMessages();
    const connections = this.hub.connections.size;
    return { users, conversations, messages, messagesPerChannel, activeUsers, connections, isEstimate };
  }

  /** The sockets of this node, in the order in which they were opened. */
  connections({ limit, cursor, userId }: ConnectionsQuery): Page<ConnectionView> {
    const [after = ''] = readCursor(cursor, ['id']) ?? [];
    const shown = [];
    for (const connection of this.hub.connections) {
      if (connection.id <= after || (userId !== undefined && connection.actor.userId !== userId)) continue;
      if (shown.push(connection) > limit) break;
    }
    return pageOf(shown, limit, ({ id }) => [id], presentConnection);
  }

  private async size(table: 'users' | 'conversations'): Promise<number> {
    const row = await this.database.one<{ count: number }>(
      `SELECT count(*) FROM (SELECT 1 FROM ${table} LIMIT ${COUNTED + 1}) AS bounded`,
    );
    const counted = row?.count ?? 0;
    return counted > COUNTED ? Math.max(counted, await this.estimate(table)) : counted;
  }

  private async estimate(table: string): Promise<number> {
    const row = await this.database.one<{ rows: number }>(
      `SELECT greatest(reltuples, 0)::bigint AS rows FROM pg_class WHERE oid = $1::regclass`,
      [table],
    );
    return row?.rows ?? 0;
  }

  /** From the counters of the rooms: one row for each, however much was said in it. */
  private async countMessages(): Promise<number> {
    const row = await this.database.one<{ messages: number }>(
      `SELECT coalesce(sum(last_seq - cleared_seq), 0)::bigint AS messages FROM conversations`,
    );
    return row?.messages ?? 0;
  }

  /** A client in use refreshes its login at least once in the life of an access token, which is a day at most. */
  private async activeUsers(): Promise<number> {
    const row = await this.database.one<{ count: number }>(
      `SELECT count(DISTINCT user_id) FROM logins WHERE last_used_at > now() - interval '1 day'`,
    );
    return row?.count ?? 0;
  }

  private largestChannels(): Promise<Statistics['messagesPerChannel']> {
    return this.database.query(
      `SELECT newest.id, newest.server_id AS "serverId", newest.name, c.last_seq - c.cleared_seq AS messages
       FROM (SELECT id, server_id, name FROM channels ORDER BY id DESC LIMIT ${COUNTED}) AS newest
       JOIN conversations c ON c.id = newest.id
       ORDER BY messages DESC, newest.id LIMIT ${CHANNELS_SHOWN}`,
    );
  }
}
