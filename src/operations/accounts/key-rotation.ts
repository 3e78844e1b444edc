import type { UnitOfWork } from '../../platform/database/unit-of-work.js';
import type { Sealed, SecretBox } from '../../platform/secrets/secret-box.js';

/** Where sealed secrets lie. `context` must be what they were sealed with. */
const SEALED = [
  { table: 'credentials', key: 'id', context: (id: string) => `credential:${id}` },
  { table: 'agents', key: 'id', context: (id: string) => `agent:${id}` },
  { table: 'second_factors', key: 'user_id', context: (id: string) => `second-factor:${id}` },
] as const;

const BATCH = 200;

/**
 * Seals everything anew with the first ENCRYPTION_KEY, batch by batch, while the app runs. Gives how many. Throws where
 * a secret is sealed with a key that ENCRYPTION_KEY does not hold; what was done before that stays.
 */
export async function rotateKeys(work: UnitOfWork, box: SecretBox): Promise<number> {
  let count = 0;
  for (const place of SEALED) {
    for (let done = BATCH; done === BATCH; count += done) done = await rotateBatch(work, box, place);
  }
  return count;
}

async function rotateBatch(
  work: UnitOfWork,
  box: SecretBox,
  { table, key, context }: (typeof SEALED)[number],
): Promise<number> {
  return work.run(async (tx) => {
    const rows = await tx.query<Sealed & { id: string }>(
      `SELECT ${key} AS id, key_id AS "keyId", sealed FROM ${table} WHERE key_id <> $1
       ORDER BY ${key} LIMIT ${BATCH} FOR UPDATE`,
      [box.currentKeyId],
    );
    for (const row of rows) {
      const { keyId, sealed } = box.seal(box.open(row, context(row.id)), context(row.id));
      await tx.query(`UPDATE ${table} SET key_id = $2, sealed = $3 WHERE ${key} = $1`, [row.id, keyId, sealed]);
    }
    return rows.length;
  });
}
