import { Injectable } from '@nestjs/common';
import { rulingKind } from '../access/facts.js';
import type { Reader, ServerPass } from '../access/pass.js';
import {
  type NotificationsView,
  presentSetting,
  settingFor,
  type SettingRow,
} from '../conversations/notification-settings.js';
import { Database } from '../platform/database/database.js';
import { unlessBroken } from '../platform/http/database-problem.js';
import { Problem } from '../platform/http/problem.js';
import type { NotificationsBody } from './notifications.dto.js';

/** What people want to be notified of: in a thread as in its room, in a channel as in its server, unless they say. */
@Injectable()
export class NotificationsService {
  constructor(private readonly database: Database) {}

  async ofConversation({ room, actor }: Reader): Promise<NotificationsView> {
    const row = await this.database.one<SettingRow>(settingFor('$2::uuid', '$3::uuid', '$4::uuid'), [
      actor.userId,
      room.id,
      room.parentId ?? null,
      room.serverId,
    ]);
    return presentSetting(row, rulingKind(room) === 'channel');
  }

  /** Throws 404 where the conversation is gone meanwhile. */
  async setForConversation({ room, actor }: Reader, body: NotificationsBody): Promise<NotificationsView> {
    const row = await unlessBroken(
      this.database.one<SettingRow>(
        `INSERT INTO conversation_notifications (user_id, conversation_id, level, muted_until) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id, conversation_id) DO UPDATE SET level = excluded.level, muted_until = excluded.muted_until
         RETURNING level, muted_until AS "mutedUntil", false AS inherited`,
        [actor.userId, room.id, body.level, timeOf(body)],
      ),
      { conversation_notifications_conversation_fk: () => Problem.notFound('This conversation') },
    );
    if (!row) throw Problem.notFound('This conversation');
    return presentSetting(row, rulingKind(room) === 'channel');
  }

  /** From now on as in what it belongs to. */
  async resetForConversation({ room, actor }: Reader): Promise<void> {
    await this.database.query(`DELETE FROM conversation_notifications WHERE user_id = $1 AND conversation_id = $2`, [
      actor.userId,
      room.id,
    ]);
  }

  async ofServer({ serverId, actor }: ServerPass): Promise<NotificationsView> {
    const row = await this.database.one<SettingRow>(
      `SELECT level, muted_until AS "mutedUntil", false AS inherited
       FROM server_notifications WHERE server_id = $1 AND user_id = $2`,
      [serverId, actor.userId],
    );
    return presentSetting(row, true);
  }

  /** Throws 404 where the membership has ended meanwhile. */
  async setForServer({ serverId, actor }: ServerPass, body: NotificationsBody): Promise<NotificationsView> {
    const row = await unlessBroken(
      this.database.one<SettingRow>(
        `INSERT INTO server_notifications (server_id, user_id, level, muted_until) VALUES ($1, $2, $3, $4)
         ON CONFLICT (server_id, user_id) DO UPDATE SET level = excluded.level, muted_until = excluded.muted_until
         RETURNING level, muted_until AS "mutedUntil", false AS inherited`,
        [serverId, actor.userId, body.level, timeOf(body)],
      ),
      { server_notifications_membership_fk: () => Problem.notFound('This server') },
    );
    if (!row) throw Problem.notFound('This server');
    return presentSetting(row, true);
  }
}

/** Throws 400 for a time that is in no calendar. */
function timeOf({ mutedUntil }: NotificationsBody): Date | null {
  if (mutedUntil === undefined) return null;
  const time = new Date(mutedUntil);
  if (Number.isNaN(time.getTime())) throw Problem.invalid('mutedUntil', 'must be a time that there is');
  return time;
}
