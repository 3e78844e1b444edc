import type { Client } from 'pg';
import { comparable } from '../../users/names.js';
import { SourceError } from './source.js';

/**
 * Hands what the import gave to its legacy account (that of rows without an owner) to a real one: sessions and
 * messages. Gives how many of each. Throws SourceError where there is no such import, account or legacy account.
 */
export async function assignImport(
  client: Client,
  importId: string,
  username: string,
): Promise<{ sessions: number; messages: number }> {
  const to = await one(client, `SELECT id FROM users WHERE username_key = $1`, comparable(username));
  if (!to) throw new SourceError(`There is no account named ${username}.`);
  const from = await one(
    client,
    `SELECT i.target_id AS id FROM imported_ids i WHERE i.import_id = $1 AND i.kind = 'user' AND i.external_id = ''`,
    importId,
  );
  if (!from) throw new SourceError(`Import ${importId} made no legacy account, so there is nothing to hand over.`);
  const sessions = await client.query(
    `UPDATE sessions s SET owner_id = $2,
       external_id = CASE WHEN EXISTS (
         SELECT 1 FROM sessions o WHERE o.owner_id = $2 AND o.external_id = s.external_id) THEN NULL ELSE external_id END,
       standing = standing AND NOT EXISTS (
         SELECT 1 FROM sessions o WHERE o.owner_id = $2 AND o.agent_id = s.agent_id AND o.standing)
     WHERE s.owner_id = $1`,
    [from, to],
  );
  const messages = await client.query(`UPDATE messages SET author_id = $2 WHERE author_id = $1`, [from, to]);
  return { sessions: sessions.rowCount ?? 0, messages: messages.rowCount ?? 0 };
}

async function one(client: Client, sql: string, value: string): Promise<string | undefined> {
  return (await client.query<{ id: string }>(sql, [value])).rows[0]?.id;
}
