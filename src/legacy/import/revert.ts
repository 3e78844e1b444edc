import { type Client, DatabaseError, escapeIdentifier } from 'pg';
import { lockInstallation } from './importer.js';
import { shrinkGrownRooms } from './shrinking.js';
import { SourceError } from './source.js';
import { mustBeUntouched } from './touched.js';

const FOREIGN_KEY = '23503';
const CHECK = '23514';

/**
 * Takes exactly what an import made out again, inside the transaction of `client`. Throws SourceError, and leaves
 * everything, where people have written into its conversations or a later import builds on it. Accounts and agents that
 * are in use stay; their names are given.
 */
export async function revertImport(client: Client, importId: string): Promise<string[]> {
  await mustBeLast(client, importId);
  await lockServersAndRooms(client, importId);
  await mustBeUntouched(client, importId);
  try {
    await shrinkGrownRooms(client, importId);
    await removeRooms(client, importId);
    const kept = [...(await removeAgents(client, importId)), ...(await removeAccounts(client, importId))];
    await client.query(`DELETE FROM imports WHERE id = $1`, [importId]);
    return kept;
  } catch (error) {
    if (!(error instanceof DatabaseError) || (error.code !== FOREIGN_KEY && error.code !== CHECK)) throw error;
    throw new SourceError(`Something made since the import depends on it (${error.message}). Nothing was reverted.`);
  }
}

async function mustBeLast(client: Client, importId: string): Promise<void> {
  await lockItsInstallation(client, importId);
  const { rows } = await client.query<{ later: string | null }>(
    `SELECT (SELECT later.id FROM imports later
             WHERE later.source = mine.source AND later.label = mine.label AND later.id > mine.id
             ORDER BY later.id DESC LIMIT 1) AS later
     FROM imports mine WHERE mine.id = $1 FOR UPDATE`,
    [importId],
  );
  if (!rows[0]) throw new SourceError(`There is no import ${importId}: see npm run legacy:list.`);
  if (rows[0].later) throw new SourceError(`Import ${rows[0].later} builds on this one: revert that first.`);
}

/** An import that is still being written may build on this one: from here on it is seen, or has not begun. */
async function lockItsInstallation(client: Client, importId: string): Promise<void> {
  const { rows } = await client.query<{ system: string; label: string }>(
    `SELECT source AS system, label FROM imports WHERE id = $1`,
    [importId],
  );
  if (rows[0]) await lockInstallation(client, rows[0]);
}

/** Nobody joins them, or writes into them, any more from here on. Servers come first, as where one is deleted. */
async function lockServersAndRooms(client: Client, importId: string): Promise<void> {
  await client.query(
    `SELECT 1 FROM servers WHERE id IN (
       SELECT target_id FROM imported_ids WHERE import_id = $1 AND kind = 'server' AND made)
     ORDER BY id FOR UPDATE`,
    [importId],
  );
  await client.query(
    `SELECT 1 FROM conversations WHERE id IN (
       SELECT coalesce(conversation_id, target_id) FROM imported_ids
       WHERE import_id = $1 AND kind IN ('conversation', 'message', 'change'))
     ORDER BY id FOR UPDATE`,
    [importId],
  );
}

async function removeRooms(client: Client, importId: string): Promise<void> {
  const mine = (kind: string) =>
    `SELECT target_id FROM imported_ids WHERE import_id = $1 AND kind = '${kind}' AND made`;
  await client.query(`DELETE FROM messages WHERE conversation_id IN (${mine('conversation')})`, [importId]);
  await client.query(`DELETE FROM conversations WHERE id IN (${mine('conversation')})`, [importId]);
  await client.query(`DELETE FROM servers WHERE id IN (${mine('server')})`, [importId]);
  await client.query(`DELETE FROM categories WHERE id IN (${mine('category')})`, [importId]);
  await client.query(
    `DELETE FROM memberships m USING imported_ids i
     WHERE i.import_id = $1 AND i.kind = 'membership' AND i.made AND m.server_id = i.conversation_id
       AND m.user_id = i.target_id`,
    [importId],
  );
}

/** An agent goes unless an administrator has taken it up or something else refers to it. */
async function removeAgents(client: Client, importId: string): Promise<string[]> {
  const used = `t.enabled OR t.updated_at <> t.created_at OR ${await referredTo(client, 'agents')}`;
  return removeUnused(client, importId, 'agent', 'agents', `'the agent ' || t.slug`, used);
}

/** An account goes unless somebody uses it: it was claimed or given rights, or something refers to it, a login too. */
async function removeAccounts(client: Client, importId: string): Promise<string[]> {
  const used = `t.kind <> 'migrated' OR t.is_admin OR t.is_advocate OR ${await referredTo(client, 'users')}`;
  return removeUnused(client, importId, 'user', 'users', `'the account ' || t.username`, used);
}

async function removeUnused(
  client: Client,
  importId: string,
  kind: string,
  table: string,
  name: string,
  used: string,
): Promise<string[]> {
  // Who signs in, or is given rights, holds the row: what they did is seen once it is locked.
  await client.query(
    `SELECT 1 FROM ${table} WHERE id IN (
       SELECT target_id FROM imported_ids WHERE import_id = $1 AND kind = $2 AND made)
     ORDER BY id FOR UPDATE`,
    [importId, kind],
  );
  const { rows } = await client.query<{ name: string }>(
    `WITH mine AS (
       SELECT t.id, ${name} AS name, ${used} AS used FROM imported_ids i JOIN ${table} t ON t.id = i.target_id
       WHERE i.import_id = $1 AND i.kind = $2 AND i.made
     ), gone AS (DELETE FROM ${table} t USING mine WHERE mine.id = t.id AND NOT mine.used)
     SELECT name FROM mine WHERE used ORDER BY 1`,
    [importId, kind],
  );
  return rows.map((row) => row.name);
}

/** SQL that is true where any row of any table refers to the row `t`: asked of the schema, so that none is forgotten. */
async function referredTo(client: Client, table: string): Promise<string> {
  const { rows } = await client.query<{ from: string; column: string }>(
    `SELECT c.conrelid::regclass::text AS from, a.attname AS column
     FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
     WHERE c.contype = 'f' AND c.confrelid = $1::regclass`,
    [table],
  );
  const checks = rows.map(
    ({ from, column }) => `EXISTS (SELECT 1 FROM ${from} WHERE ${escapeIdentifier(column)} = t.id)`,
  );
  return checks.length > 0 ? `(${checks.join(' OR ')})` : 'false';
}
