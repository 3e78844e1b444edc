import type { Client } from 'pg';
import type { Judged } from './intake.js';
import { MismatchError } from './verifying.js';

export interface Tally {
  found: number;
  carried: number;
  /** Carried by an earlier run. */
  before: number;
  rejected: number;
}

/** Throws MismatchError where carried, carried before and rejected do not add up to what the source says it has. */
export async function tallies(
  client: Client,
  judged: ReadonlyMap<string, Judged>,
  counts: Record<string, number>,
): Promise<Record<string, Tally>> {
  const { rows } = await client.query<{ table: string; what: keyof Judged | 'rejected'; size: string }>(
    `SELECT source_table AS table, CASE WHEN is_known THEN 'before' ELSE 'carried' END AS what, count(*) AS size
     FROM rooms WHERE refusal IS NULL GROUP BY 1, 2
     UNION ALL SELECT source_table, 'carried', count(*) FROM carried GROUP BY 1
     UNION ALL SELECT o.source_table, 'before', count(*) FROM old_messages o JOIN known_messages k ON k.n = o.n GROUP BY 1
     UNION ALL
     SELECT source_table, CASE WHEN n IN (SELECT n FROM known_revisions) THEN 'before' ELSE 'carried' END, count(*)
     FROM old_revisions GROUP BY 1, 2
     UNION ALL
     SELECT source_table, CASE WHEN n IN (SELECT n FROM known_reactions) THEN 'before' ELSE 'carried' END, count(*)
     FROM old_reactions GROUP BY 1, 2
     UNION ALL SELECT source_table, 'rejected', count(*) FROM refused GROUP BY 1`,
  );
  const tables: Record<string, Tally> = {};
  for (const [table, found] of Object.entries(counts)) {
    const tally = { found, carried: 0, before: 0, rejected: 0, ...judged.get(table) };
    for (const { what, size } of rows.filter((row) => row.table === table)) tally[what] += Number(size);
    if (tally.carried + tally.before + tally.rejected !== found) {
      throw new MismatchError(
        `${table}: the source has ${found} rows, but ${tally.carried} carried, ${tally.before} carried before and ` +
          `${tally.rejected} rejected do not add up to that. Nothing was carried over.`,
      );
    }
    tables[table] = tally;
  }
  return tables;
}
