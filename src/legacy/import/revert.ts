import type { Client } from 'pg';
import { SourceError } from './source.js';

interface Grown {
  id: string;
  lastSeq: number;
  lastRev: number;
  size: number;
}

/**
 * Takes exactly what an import made out again, inside the transaction of `client`. Throws SourceError, and leaves
 * everything, where people have written into its conversations or a later import builds on it. Accounts that
 * are in use stay; their names are given.
 */
export async function revertImport(client: Client, importId: string): Promise<{ kept: string[] }> {
  const { rows } = await client.query<{ report: { grown?: Grown[] } }>(
    `SELECT report FROM imports WHERE id = $1 FOR UPDATE`,
    [importId],
  );
  if (!rows[0]) throw new SourceError(`There is no import ${importId}: see npm run legacy:list.`);
  await mustBeLast(client, importId);
  await client.query(
    `SELECT 1 FROM conversations c JOIN imported_ids i ON i.target_id = c.id AND i.kind = 'conversation'
     WHERE i.import_id = $1 ORDER BY c.id FOR UPDATE OF c`,
    [importId],
  );
  const grown = rows[0].report.grown ?? [];
  await mustBeUntouched(client, importId, grown);

  for (const room of grown) await shrink(client, importId, room);
  await client.query(
    `DELETE FROM conversations WHERE id IN (
       SELECT target_id FROM imported_ids WHERE import_id = $1 AND kind = 'conversation')`,
    [importId],
  );
  await client.query(
    `DELETE FROM servers WHERE id IN (SELECT target_id FROM imported_ids WHERE import_id = $1 AND kind = 'server')`,
    [importId],
  );
  await client.query(
    `DELETE FROM memberships m USING imported_ids i
     WHERE i.import_id = $1 AND i.kind = 'membership' AND m.server_id = i.conversation_id AND m.user_id = i.target_id`,
    [importId],
  );
  await client.query(
    `DELETE FROM agents a USING imported_ids i
     WHERE i.import_id = $1 AND i.kind = 'agent' AND a.id = i.target_id AND NOT a.enabled
       AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.agent_id = a.id)
       AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.agent_id = a.id)`,
    [importId],
  );
  const kept = await removeAccounts(client, importId);
  await client.query(`DELETE FROM imports WHERE id = $1`, [importId]);
  return { kept };
}

async function mustBeLast(client: Client, importId: string): Promise<void> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT DISTINCT later.import_id AS id FROM imported_ids mine
     JOIN imported_ids later ON later.scope = mine.scope AND later.import_id > mine.import_id
     WHERE mine.import_id = $1 LIMIT 1`,
    [importId],
  );
  if (rows[0]) throw new SourceError(`Import ${rows[0].id} builds on this one: revert that first.`);
}

async function mustBeUntouched(client: Client, importId: string, grown: Grown[]): Promise<void> {
  const { rows } = await client.query<{ ext: string }>(
    `SELECT i.external_id AS ext FROM imported_ids i JOIN conversations c ON c.id = i.target_id
     WHERE i.kind = 'conversation' AND c.last_rev <> i.rev AND (i.import_id = $1 OR i.target_id = ANY ($2::uuid[]))
     UNION ALL
     SELECT i.external_id FROM imported_ids i JOIN channels ch ON ch.server_id = i.target_id
     WHERE i.import_id = $1 AND i.kind = 'server' AND NOT EXISTS (
       SELECT 1 FROM imported_ids o WHERE o.kind = 'conversation' AND o.target_id = ch.id)
     ORDER BY 1`,
    [importId, grown.map(({ id }) => id)],
  );
  if (rows.length === 0) return;
  const names = rows.slice(0, 5).map(({ ext }) => ext);
  const more = rows.length > names.length ? ', ...' : '';
  throw new SourceError(
    `People have written or changed something since the import in ${rows.length} conversation(s): ` +
      `${names.join(', ')}${more}. Nothing was reverted.`,
  );
}

async function shrink(client: Client, importId: string, { id, lastSeq, lastRev, size }: Grown): Promise<void> {
  await client.query(
    `DELETE FROM messages m USING imported_ids i
     WHERE i.import_id = $1 AND i.kind = 'message' AND i.conversation_id = $2
       AND m.conversation_id = i.conversation_id AND m.id = i.target_id`,
    [importId, id],
  );
  await client.query(
    `UPDATE conversations SET last_seq = $2, last_rev = $3,
       last_message_at = (SELECT max(created_at) FROM messages WHERE conversation_id = $1)
     WHERE id = $1`,
    [id, lastSeq, lastRev],
  );
  await client.query(`UPDATE imported_ids SET rev = rev - $2 WHERE kind = 'conversation' AND target_id = $1`, [
    id,
    size,
  ]);
}

/** An account goes unless somebody uses it: it was claimed, signs in, or owns, wrote or joined something else. */
async function removeAccounts(client: Client, importId: string): Promise<string[]> {
  const { rows } = await client.query<{ id: string; username: string; used: boolean }>(
    `SELECT u.id, u.username, u.kind <> 'migrated'
         OR EXISTS (SELECT 1 FROM logins l WHERE l.user_id = u.id)
         OR EXISTS (SELECT 1 FROM sessions s WHERE u.id IN (s.owner_id, s.advocate_id))
         OR EXISTS (SELECT 1 FROM messages m WHERE m.author_id = u.id)
         OR EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = u.id)
         OR EXISTS (SELECT 1 FROM servers s WHERE s.created_by = u.id) AS used
     FROM imported_ids i JOIN users u ON u.id = i.target_id
     WHERE i.import_id = $1 AND i.kind = 'user' AND i.made`,
    [importId],
  );
  const unused = rows.filter(({ used }) => !used).map(({ id }) => id);
  await client.query(`DELETE FROM users WHERE id = ANY ($1::uuid[])`, [unused]);
  return rows.filter(({ used }) => used).map(({ username }) => username);
}
