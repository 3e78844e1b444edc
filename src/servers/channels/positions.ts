import type { Tx } from '../../platform/database/unit-of-work.js';

/**
 * Makes the position free, inside a transaction that has locked the server: what stands there moves up by one, and
 * what that runs into, and no further than to the next gap. Gives the ids that moved.
 */
export async function makeRoomAt(
  tx: Tx,
  table: 'channels' | 'categories',
  serverId: string,
  position: number,
  exceptId: string,
): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `WITH standing AS (
       SELECT id, position, row_number() OVER (ORDER BY position, id) AS nth
       FROM ${table} WHERE server_id = $1 AND id <> $3 AND position >= $2
     ), moved AS (
       SELECT id, position, nth + greatest($2, max(position - nth) OVER (ORDER BY nth)) AS place FROM standing
     )
     UPDATE ${table} SET position = moved.place FROM moved
     WHERE ${table}.id = moved.id AND moved.place <> moved.position RETURNING ${table}.id`,
    [serverId, position, exceptId],
  );
  return rows.map(({ id }) => id);
}
