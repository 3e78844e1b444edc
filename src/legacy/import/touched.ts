import type { Client } from 'pg';
import { SourceError } from './source.js';

const SHOWN = 20;

/**
 * Throws SourceError, naming what it is, where people have written or changed something in the conversations and
 * servers of an import since: it would go, or hang in the air, with what is taken out.
 */
export async function mustBeUntouched(client: Client, importId: string): Promise<void> {
  const touched = [...(await touchedRooms(client, importId)), ...(await touchedServers(client, importId))];
  if (touched.length === 0) return;
  const more = touched.length > SHOWN ? [`  and ${touched.length - SHOWN} more`] : [];
  throw new SourceError(
    [
      'Nothing was reverted: people have written or changed something since the import, which would be lost.',
      ...touched.slice(0, SHOWN).map((line) => `  ${line}`),
      ...more,
    ].join('\n'),
  );
}

/** Every change moves the rev of its conversation, so that one past what the imports gave tells of people. */
async function touchedRooms(client: Client, importId: string): Promise<string[]> {
  const { rows } = await client.query<{ ext: string; changes: string; messages: string[] | null }>(
    `SELECT i.external_id AS ext, c.last_rev - i.rev AS changes, (
       SELECT array_agg(m.id || ' by ' || coalesce(u.username, a.slug, 'nobody') || ' of ' ||
         to_char(m.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"') ORDER BY m.seq)
       FROM messages m LEFT JOIN users u ON u.id = m.author_id LEFT JOIN agents a ON a.id = m.agent_id
       WHERE m.conversation_id = c.id AND NOT EXISTS (
         SELECT 1 FROM imported_ids known WHERE known.target_id = m.id AND known.kind = 'message')
     ) AS messages
     FROM imported_ids i JOIN conversations c ON c.id = i.target_id
     WHERE i.kind = 'conversation' AND c.last_rev <> i.rev AND (
       i.import_id = $1 OR EXISTS (
         SELECT 1 FROM imported_ids m WHERE m.import_id = $1 AND m.scope = i.scope
           AND m.kind IN ('message', 'change') AND m.conversation_id = i.target_id))
     ORDER BY i.external_id`,
    [importId],
  );
  return rows.map(({ ext, changes, messages }) => {
    const written = messages?.slice(0, 5).map((message) => `message ${message}`) ?? [];
    return [`conversation ${ext}: ${changes} change(s)`, ...written].join(', ');
  });
}

async function touchedServers(client: Client, importId: string): Promise<string[]> {
  const { rows } = await client.query<{ ext: string; what: string }>(
    `SELECT i.external_id AS ext, 'channel ' || ch.name AS what
     FROM imported_ids i JOIN channels ch ON ch.server_id = i.target_id
     WHERE i.import_id = $1 AND i.kind = 'server' AND NOT EXISTS (
       SELECT 1 FROM imported_ids o WHERE o.target_id = ch.id AND o.kind = 'conversation')
     UNION ALL
     SELECT i.external_id, 'category ' || heading.name
     FROM imported_ids i JOIN categories heading ON heading.server_id = i.target_id
     WHERE i.import_id = $1 AND i.kind = 'server' AND NOT EXISTS (
       SELECT 1 FROM imported_ids o WHERE o.target_id = heading.id AND o.kind = 'category')
     UNION ALL
     SELECT i.external_id, 'member ' || u.username
     FROM imported_ids i JOIN memberships m ON m.server_id = i.target_id JOIN users u ON u.id = m.user_id
     WHERE i.import_id = $1 AND i.kind = 'server' AND NOT EXISTS (
       SELECT 1 FROM imported_ids o
       WHERE o.target_id = m.user_id AND o.kind = 'membership' AND o.conversation_id = m.server_id)
     ORDER BY 1, 2`,
    [importId],
  );
  return rows.map(({ ext, what }) => `server ${ext}: ${what} came after the import`);
}
