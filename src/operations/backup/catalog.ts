import type { Tx } from '../../platform/database/unit-of-work.js';

/**
 * What is not kept: hashes of tokens and what is over in minutes. Without logins, everybody signs in again after a
 * restore, and a stolen backup opens no door.
 */
export const PASSING = [
  'logins',
  'tickets',
  'password_resets',
  'account_notices',
  'rate_limits',
  'nodes',
  'migrations',
];

export interface TableForm {
  table: string;
  /** Those that can be written: what is generated from others is left out. */
  columns: string[];
}

export interface ForeignKey {
  table: string;
  name: string;
  definition: string;
}

/** Every table of the house that a backup keeps, as the database itself names them: a new one is never forgotten. */
export async function keptTables(tx: Tx): Promise<TableForm[]> {
  return tx.query<{ table: string; columns: string[] }>(
    `SELECT c.relname AS table, array_agg(a.attname::text ORDER BY a.attnum) AS columns
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND c.relname <> ALL ($1)
     GROUP BY c.relname ORDER BY c.relname`,
    [PASSING],
  );
}

/** None where the database has no schema yet. */
export async function appliedMigrations(tx: Tx): Promise<string[]> {
  const known = await tx.one<{ is: boolean }>(`SELECT to_regclass('migrations') IS NOT NULL AS is`);
  if (!known?.is) return [];
  const rows = await tx.query<{ name: string }>(`SELECT name FROM migrations ORDER BY id`);
  return rows.map(({ name }) => name);
}

/** In the words that make them again. */
export async function foreignKeys(tx: Tx): Promise<ForeignKey[]> {
  return tx.query<{ table: string; name: string; definition: string }>(
    `SELECT conrelid::regclass::text AS table, quote_ident(conname) AS name, pg_get_constraintdef(oid) AS definition
     FROM pg_constraint
     WHERE contype = 'f' AND connamespace = current_schema()::regnamespace AND conparentid = 0 ORDER BY conname`,
  );
}

/** Sets every counter that numbers the rows of a table behind the highest number that is there. */
export async function advanceSequences(tx: Tx): Promise<void> {
  const owned = await tx.query<{ sequence: string; table: string; column: string }>(
    `SELECT d.objid::regclass::text AS sequence, d.refobjid::regclass::text AS table, quote_ident(a.attname) AS column
     FROM pg_depend d
     JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' AND s.relnamespace = current_schema()::regnamespace
     JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')`,
  );
  for (const { sequence, table, column } of owned) {
    await tx.query(`SELECT setval($1::regclass, coalesce(max(${column}), 0) + 1, false) FROM ${table}`, [sequence]);
  }
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
