import type { Client } from 'pg';
import { comparable } from '../../users/names.js';
import { accountNamed } from './people.js';
import { SourceError } from './source.js';

/**
 * Hands the sessions that an import gave to the account of those without an owner, and what was said in them, to a
 * real one. Gives how many of each. Where the taker has a standing session with the same character, or one of the same
 * old id, theirs stays what it is. Throws SourceError where there is no such import or account, or nothing to hand over.
 */
export async function assignImport(
  client: Client,
  importId: string,
  username: string,
): Promise<{ sessions: number; messages: number }> {
  const from = await ownerless(client, importId);
  // Rooms before people, as whoever writes there locks them; then nothing is opened, or deleted, by who takes them.
  const sessions = await client.query<{ id: string }>(
    `SELECT s.id FROM sessions s JOIN imported_ids i ON i.target_id = s.id AND i.kind = 'conversation'
     JOIN conversations c ON c.id = s.id
     WHERE i.import_id = $1 AND s.owner_id = $2 ORDER BY s.id FOR NO KEY UPDATE OF c FOR UPDATE OF s`,
    [importId, from],
  );
  await client.query(`SELECT 1 FROM users WHERE username_key = $1 FOR UPDATE`, [comparable(username)]);
  const to = await accountNamed(client, username);
  if (sessions.rows.length === 0 || from === to) {
    throw new SourceError(`Import ${importId} has no session without an owner that could be handed over.`);
  }
  const ids = sessions.rows.map(({ id }) => id);
  await client.query(
    `UPDATE sessions s SET owner_id = $2,
       external_id = CASE WHEN NOT EXISTS (
         SELECT 1 FROM sessions o WHERE o.owner_id = $2 AND o.external_id = s.external_id) THEN external_id END,
       standing = standing AND NOT EXISTS (
         SELECT 1 FROM sessions o WHERE o.owner_id = $2 AND o.agent_id = s.agent_id AND o.standing)
     WHERE s.id = ANY ($1)`,
    [ids, to],
  );
  const messages = await client.query(
    `UPDATE messages SET author_id = $3 WHERE conversation_id = ANY ($1) AND author_id = $2`,
    [ids, from, to],
  );
  await tellWhoHelps(client, ids);
  await client.query(
    `INSERT INTO read_markers (conversation_id, user_id, seq)
     SELECT conversation_id, $3, seq FROM read_markers WHERE conversation_id = ANY ($1) AND user_id = $2
     ON CONFLICT (conversation_id, user_id) DO UPDATE SET seq = greatest(read_markers.seq, excluded.seq)`,
    [ids, from, to],
  );
  await client.query(`DELETE FROM read_markers WHERE conversation_id = ANY ($1) AND user_id = $2`, [ids, from]);
  return { sessions: ids.length, messages: messages.rowCount ?? 0 };
}

/** Who helps in one has read it as somebody else's: it is loaded anew. What imports remember of its revs moves along. */
async function tellWhoHelps(client: Client, ids: string[]): Promise<void> {
  await client.query(`UPDATE conversations SET last_rev = last_rev + 1, floor_rev = last_rev + 1 WHERE id = ANY ($1)`, [
    ids,
  ]);
  await client.query(
    `UPDATE imported_ids SET rev = rev + 1 WHERE target_id = ANY ($1) AND kind IN ('conversation', 'change')`,
    [ids],
  );
}

async function ownerless(client: Client, importId: string): Promise<string> {
  const { rows } = await client.query<{ id: string | null }>(
    `SELECT (
       SELECT who.target_id FROM imported_ids any_row
       JOIN imported_ids who ON who.scope = any_row.scope AND who.kind = 'user' AND who.external_id = ''
       WHERE any_row.import_id = imports.id LIMIT 1
     ) AS id
     FROM imports WHERE id = $1`,
    [importId],
  );
  if (!rows[0]) throw new SourceError(`There is no import ${importId}: see npm run legacy:list.`);
  if (!rows[0].id)
    throw new SourceError(`Everything in import ${importId} has an owner: there is nothing to hand over.`);
  return rows[0].id;
}
