import type { Client } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { carry } from './carrying.js';
import { JUDGE } from './judging.js';
import { OldStore } from './old-store.js';
import type { Source } from './source.js';
import { namedId } from './values.js';
import { type Comparison, verify } from './verifying.js';

export interface Tally {
  found: number;
  carried: number;
  /** Carried by an earlier run. */
  before: number;
  rejected: number;
}

export interface ImportReport {
  /** None where there was nothing new. */
  importId: string | null;
  tables: Record<string, Tally>;
  accounts: number;
  agents: number;
  renamed: string[];
  leftOut: Record<string, number>;
  rejects: { table: string; row: unknown; reason: string }[];
  conversations: Comparison[];
}

export interface ImportOptions {
  owner?: string | undefined;
  migration?: string | undefined;
  onProgress?: (rows: number) => void;
  /** Told what was found before anything is written. */
  onFound?: (report: Pick<ImportReport, 'tables' | 'leftOut'>) => void;
}

/** Source and target do not agree: nothing of the import stays. */
export class MismatchError extends Error {
  constructor(
    message: string,
    readonly conversations: Comparison[] = [],
  ) {
    super(message);
  }
}

/** What tells one installation of one system from all others. */
export function scopeOf({ system, label }: Pick<Source, 'system' | 'label'>): string {
  return namedId('scope', system, label);
}

/**
 * Carries a source over inside the transaction that `client` is in; whoever opened it commits, or rolls back where
 * this throws. Throws MismatchError where counts or checksums differ, SourceError for a source that cannot be read.
 */
export async function importSource(client: Client, source: Source, options: ImportOptions): Promise<ImportReport> {
  const scope = scopeOf(source);
  const importId = uuidv7();
  await client.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, [scope]);
  await client.query(`SET LOCAL work_mem = '128MB'`);
  const found = await source.count();

  const store = await OldStore.open(client, scope, source, options.owner);
  for await (const row of source.rows()) {
    await store.add(row);
    if (store.rows % 5_000 === 0) options.onProgress?.(store.rows);
  }
  await store.end();
  options.onProgress?.(store.rows);
  for (const sql of JUDGE) await client.query(sql, sql.includes('$1') ? [scope] : []);

  const tables = await tallies(client, store, found);
  const leftOut = source.leftOut();
  options.onFound?.({ tables, leftOut });
  const rejects = await rejected(client, source);

  await client.query(
    `INSERT INTO imports (id, source, label, location, migration, report) VALUES ($1, $2, $3, $4, $5, '{}')`,
    [importId, source.system, source.label, source.location, options.migration ?? null],
  );
  const made = await store.store(importId);
  const written = await carry(client, scope, importId);
  const conversations = await verify(client);
  if (conversations.some(({ matches }) => !matches)) {
    throw new MismatchError('Source and target differ: nothing was carried over.', conversations);
  }
  const grown = await rememberGrowth(client);

  const isEmpty = made.total === 0 && Object.values(written).every((count) => count === 0);
  const { accounts, agents } = made;
  const summary = { tables, accounts, agents, renamed: store.people.renamed, leftOut };
  if (isEmpty && !options.migration) await client.query(`DELETE FROM imports WHERE id = $1`, [importId]);
  else {
    const report = JSON.stringify({ ...summary, rejected: rejects.length, grown });
    await client.query(`UPDATE imports SET report = $2 WHERE id = $1`, [importId, report]);
  }
  return { importId: isEmpty && !options.migration ? null : importId, ...summary, rejects, conversations };
}

/** Carried, carried before and rejected must add up to what the source says it has. */
async function tallies(client: Client, store: OldStore, found: Record<string, number>): Promise<Record<string, Tally>> {
  const { rows } = await client.query<{ table: string; carried: string; before: string; rejected: string }>(
    `SELECT s.source_table AS table,
       count(*) FILTER (WHERE s.reason IS NULL AND NOT coalesce(t.is_known, NOT r.is_new)) AS carried,
       count(*) FILTER (WHERE s.reason IS NULL AND coalesce(t.is_known, NOT r.is_new)) AS before,
       count(*) FILTER (WHERE s.reason IS NOT NULL) AS rejected
     FROM staged s
     LEFT JOIN texts t ON t.n = s.n
     LEFT JOIN rooms r ON s.is_room AND s.reason IS NULL AND r.ext = s.ext
     GROUP BY 1`,
  );
  const tables: Record<string, Tally> = {};
  for (const [table, count] of Object.entries(found)) {
    const { carried = 0, before = 0 } = store.direct.get(table) ?? {};
    const row = rows.find((each) => each.table === table);
    const tally = {
      found: count,
      carried: carried + Number(row?.carried ?? 0),
      before: before + Number(row?.before ?? 0),
      rejected: Number(row?.rejected ?? 0),
    };
    if (tally.carried + tally.before + tally.rejected !== count) {
      throw new MismatchError(
        `${table}: the source has ${count} rows, but ${tally.carried} carried, ${tally.before} carried before and ` +
          `${tally.rejected} rejected do not add up to that.`,
      );
    }
    tables[table] = tally;
  }
  return tables;
}

/** Reads the source once more for the rows that were rejected, so that each is told as it stands there. */
async function rejected(client: Client, source: Source): Promise<ImportReport['rejects']> {
  const { rows } = await client.query<{ n: string; reason: string }>(
    `SELECT n, reason FROM staged WHERE reason IS NOT NULL ORDER BY n`,
  );
  if (rows.length === 0) return [];
  const reasons = new Map(rows.map(({ n, reason }) => [Number(n), reason]));
  const rejects: ImportReport['rejects'] = [];
  let n = 0;
  for await (const { table, row } of source.rows()) {
    n += 1;
    const reason = reasons.get(n);
    if (reason !== undefined) rejects.push({ table, row, reason });
  }
  return rejects;
}

/** For the revert: how the rooms stood that were there before, and that they were not people who moved them. */
async function rememberGrowth(client: Client): Promise<unknown[]> {
  const { rows } = await client.query<{ id: string; size: number }>(
    `SELECT r.id, r.last_seq AS "lastSeq", r.last_rev AS "lastRev", c.last_rev - r.last_rev AS size
     FROM rooms r JOIN conversations c ON c.id = r.id WHERE NOT r.is_new AND c.last_rev > r.last_rev`,
  );
  for (const { id, size } of rows) {
    await client.query(`UPDATE imported_ids SET rev = rev + $2 WHERE kind = 'conversation' AND target_id = $1`, [
      id,
      size,
    ]);
  }
  return rows;
}
