import type { Client } from 'pg';
import type { Stage } from './staging.js';

/** Moves the rows `o` of a stage that `which` finds to `refused`, each with its reason, an SQL expression. */
export async function refuse(client: Client, stage: Stage, reason: string, which: string): Promise<void> {
  await client.query(
    `WITH found AS (SELECT o.n, o.source_table, ${reason} AS reason FROM ${stage} o ${which}),
       gone AS (DELETE FROM ${stage} o USING found WHERE found.n = o.n)
     INSERT INTO refused SELECT n, source_table, reason FROM found`,
  );
}

/** Of rows with one id the first one counts. */
export async function refuseTwice(client: Client, stage: Exclude<Stage, 'refused'>): Promise<void> {
  await refuse(
    client,
    stage,
    `'duplicate id'`,
    `JOIN (
       SELECT n, row_number() OVER (PARTITION BY ext ORDER BY n) AS nth FROM ${stage}
       WHERE ext IN (SELECT ext FROM ${stage} GROUP BY ext HAVING count(*) > 1)
     ) d ON d.n = o.n AND d.nth > 1`,
  );
}

export async function refuseMessages(client: Client, scope: string): Promise<void> {
  await refuseTwice(client, 'old_messages');
  await refuse(
    client,
    'old_messages',
    `'orphaned message: its conversation is missing or was not carried'`,
    `LEFT JOIN rooms r ON r.ext = o.room_ext WHERE r.ext IS NULL`,
  );
  await client.query(
    `CREATE TEMP TABLE known_messages ON COMMIT DROP AS
     SELECT o.n, k.fingerprint <> o.fingerprint AS is_other
     FROM old_messages o
     JOIN imported_ids k ON k.kind = 'message' AND k.external_id = o.ext AND k.scope = $1`,
    [scope],
  );
  await client.query(`ANALYZE known_messages`);
  await refuse(
    client,
    'old_messages',
    `'its id was carried before with another content'`,
    `JOIN known_messages k ON k.n = o.n AND k.is_other`,
  );
  await refuse(
    client,
    'old_messages',
    `coalesce(r.refusal, 'its conversation was carried before and has been deleted since')`,
    `JOIN rooms r ON r.ext = o.room_ext AND (r.is_gone OR r.refusal IS NOT NULL)
     LEFT JOIN known_messages k ON k.n = o.n WHERE k.n IS NULL`,
  );
}

/** They are known by what they became: a message that is known under their id, or whose form they are. */
export async function refuseRevisions(client: Client, scope: string): Promise<void> {
  await refuseTwice(client, 'old_revisions');
  await client.query(
    `CREATE TEMP TABLE known_revisions ON COMMIT DROP AS
     SELECT o.n FROM old_revisions o
     JOIN imported_ids k ON k.kind = 'message' AND k.external_id = o.ext AND k.scope = $1`,
    [scope],
  );
  await refuse(
    client,
    'old_revisions',
    `CASE WHEN k.n IS NULL THEN 'its message is missing or was not carried'
       ELSE 'its message was carried before without it' END`,
    `LEFT JOIN old_messages m ON m.ext = o.message_ext AND m.room_ext = o.room_ext
     LEFT JOIN known_messages k ON k.n = m.n
     WHERE (m.n IS NULL OR k.n IS NOT NULL) AND o.n NOT IN (SELECT n FROM known_revisions)`,
  );
}
