import { type Notes, type RawRow, Row } from './row.js';
import { BrokenRow, type Entry, type Source } from './source.js';
import { UnreadableValue } from './values.js';

/** One row of the source: its number, as it stands there, and as it was understood or why it was not. */
export interface ReadRow {
  n: number;
  table: string;
  raw: RawRow | BrokenRow;
  entry: Entry | { kind: 'unreadable'; reason: string };
}

/** All rows of a source, table by table. What is left out or mended on the way is noted. */
export async function* read(source: Source, notes: Notes): AsyncGenerator<ReadRow> {
  let n = 0;
  for (const { name, rows, understand } of source.tables) {
    for await (const raw of rows()) yield { n: ++n, table: name, raw, entry: understood(name, raw, understand, notes) };
  }
  for (const [name, count] of Object.entries(source.otherTables)) notes.leaveOut(`${name} (table)`, count);
}

function understood(
  table: string,
  raw: RawRow | BrokenRow,
  understand: (row: Row) => Entry,
  notes: Notes,
): ReadRow['entry'] {
  if (raw instanceof BrokenRow) return { kind: 'unreadable', reason: raw.reason };
  const row = new Row(table, raw, notes);
  try {
    const entry = understand(row);
    row.leaveRest();
    return entry;
  } catch (error) {
    if (!(error instanceof UnreadableValue)) throw error;
    return { kind: 'unreadable', reason: error.message };
  }
}

/** What each table says it has. */
export async function countRows(source: Source): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of source.tables) counts[table.name] = await table.count();
  return counts;
}
