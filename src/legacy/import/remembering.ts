import type { Client } from 'pg';
import type { ImportedKind } from './imported-id.entity.js';

/** Keeps what a row of the source became; again where that was deleted here and is made anew. */
export async function remember(
  client: Client,
  { scope, importId }: { scope: string; importId: string },
  kind: ImportedKind,
  ext: string,
  target: string,
): Promise<void> {
  await client.query(
    `INSERT INTO imported_ids (scope, kind, external_id, import_id, target_id) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (kind, external_id, scope) DO UPDATE SET import_id = $4, target_id = $5`,
    [scope, kind, ext, importId, target],
  );
}
