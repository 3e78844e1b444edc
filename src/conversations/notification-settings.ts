import { ApiProperty } from '@nestjs/swagger';
import { type Level, LEVELS } from '../notifications/conversation-notifications.entity.js';

/** Where nothing is set: in a server names, between few people everything. */
const IN_SERVERS: Level = 'mentions';
const BETWEEN_PEOPLE: Level = 'all';

/** What somebody is notified of. */
export class NotificationsView {
  @ApiProperty({ enum: LEVELS }) level: Level;
  @ApiProperty({ type: String, nullable: true, format: 'date-time' }) mutedUntil: string | null;
  @ApiProperty({ description: 'Nothing was set here: it is as in what it belongs to.' }) inherited: boolean;
}

/** A row of settingFor; all null where nothing is set anywhere. */
export interface SettingRow {
  level: Level | null;
  mutedUntil: Date | null;
  inherited: boolean | null;
}

/**
 * The row that holds for the person `$1`: that of the conversation, or of the one that its thread hangs in, or of its
 * server. Takes SQL expressions.
 */
export const settingFor = (conversation: string, parent: string, server: string) => `
  SELECT level, muted_until AS "mutedUntil", place > 1 AS inherited FROM (
    SELECT level, muted_until, CASE conversation_id WHEN ${conversation} THEN 1 ELSE 2 END AS place
    FROM conversation_notifications WHERE user_id = $1 AND conversation_id IN (${conversation}, ${parent})
    UNION ALL
    SELECT level, muted_until, 3 FROM server_notifications WHERE user_id = $1 AND server_id = ${server}
  ) AS settings ORDER BY place LIMIT 1`;

/** What holds, also where nothing is set. */
export function presentSetting(row: SettingRow | undefined, inServer: boolean): NotificationsView {
  const { level, mutedUntil, inherited } = row ?? { level: null, mutedUntil: null, inherited: null };
  return {
    level: level ?? (inServer ? IN_SERVERS : BETWEEN_PEOPLE),
    mutedUntil: mutedUntil?.toISOString() ?? null,
    inherited: inherited ?? true,
  };
}
