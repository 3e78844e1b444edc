import { Injectable } from '@nestjs/common';
import { type Room, rulingKind } from '../access/facts.js';
import type { Reader, ServerPass } from '../access/pass.js';
import { Database } from '../platform/database/database.js';
import { unlessBroken } from '../platform/http/database-problem.js';
import { Problem } from '../platform/http/problem.js';
import type { Level } from './conversation-notifications.entity.js';
import type { NotificationsBody, NotificationsView } from './notifications.dto.js';

/** Where nothing is set: in a server names, between few people everything. */
const IN_SERVERS: Level = 'mentions';
const BETWEEN_PEOPLE: Level = 'all';

interface Row {
  level: Level;
  mutedUntil: Date | null;
  inherited: boolean;
}

/** What people want to be notified of: in a thread as in its room, in a channel as in its server, unless they say. */
@Injectable()
export class NotificationsService {
  constructor(private readonly database: Database) {}

  async ofConversation({ room, actor }: Reader): Promise<NotificationsView> {
    const row = await this.database.one<Row>(
      `SELECT level, muted_until AS "mutedUntil", conversation_id IS DISTINCT FROM $2 AS inherited FROM (
         SELECT conversation_id, level, muted_until, CASE conversation_id WHEN $2 THEN 1 ELSE 2 END AS place
         FROM conversation_notifications WHERE user_id = $1 AND conversation_id IN ($2, $3)
         UNION ALL
         SELECT NULL, level, muted_until, 3 FROM server_notifications WHERE user_id = $1 AND server_id = $4
       ) AS settings ORDER BY place LIMIT 1`,
      [actor.userId, room.id, room.parentId ?? null, room.serverId],
    );
    return row ? present(row) : { level: defaultIn(room), mutedUntil: null, inherited: true };
  }

  /** Throws 404 where the conversation is gone meanwhile. */
  async setForConversation({ room, actor }: Reader, body: NotificationsBody): Promise<NotificationsView> {
    const row = await unlessBroken(
      this.database.one<Row>(
        `INSERT INTO conversation_notifications (user_id, conversation_id, level, muted_until) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id, conversation_id) DO UPDATE SET level = excluded.level, muted_until = excluded.muted_until
         RETURNING level, muted_until AS "mutedUntil", false AS inherited`,
        [actor.userId, room.id, body.level, timeOf(body)],
      ),
      { conversation_notifications_conversation_fk: () => Problem.notFound('This conversation') },
    );
    if (!row) throw Problem.notFound('This conversation');
    return present(row);
  }

  /** From now on as in what it belongs to. */
  async resetForConversation({ room, actor }: Reader): Promise<void> {
    await this.database.query(`DELETE FROM conversation_notifications WHERE user_id = $1 AND conversation_id = $2`, [
      actor.userId,
      room.id,
    ]);
  }

  async ofServer({ serverId, actor }: ServerPass): Promise<NotificationsView> {
    const row = await this.database.one<Row>(
      `SELECT level, muted_until AS "mutedUntil", false AS inherited
       FROM server_notifications WHERE server_id = $1 AND user_id = $2`,
      [serverId, actor.userId],
    );
    return row ? present(row) : { level: IN_SERVERS, mutedUntil: null, inherited: true };
  }

  /** Throws 404 where the membership has ended meanwhile. */
  async setForServer({ serverId, actor }: ServerPass, body: NotificationsBody): Promise<NotificationsView> {
    const row = await unlessBroken(
      this.database.one<Row>(
        `INSERT INTO server_notifications (server_id, user_id, level, muted_until) VALUES ($1, $2, $3, $4)
         ON CONFLICT (server_id, user_id) DO UPDATE SET level = excluded.level, muted_until = excluded.muted_until
         RETURNING level, muted_until AS "mutedUntil", false AS inherited`,
        [serverId, actor.userId, body.level, timeOf(body)],
      ),
      { server_notifications_membership_fk: () => Problem.notFound('This server') },
    );
    if (!row) throw Problem.notFound('This server');
    return present(row);
  }
}

/** Throws 400 for a time that is in no calendar. */
function timeOf({ mutedUntil }: NotificationsBody): Date | null {
  if (mutedUntil === undefined) return null;
  const time = new Date(mutedUntil);
  if (Number.isNaN(time.getTime())) throw Problem.invalid('mutedUntil', 'must be a time that there is');
  return time;
}

function defaultIn(room: Room): Level {
  return rulingKind(room) === 'channel' ? IN_SERVERS : BETWEEN_PEOPLE;
}

function present({ level, mutedUntil, inherited }: Row): NotificationsView {
  return { level, mutedUntil: mutedUntil?.toISOString() ?? null, inherited };
}
