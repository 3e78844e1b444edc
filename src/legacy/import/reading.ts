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

/** What to wait for before the next row, if anything; false where no more are wanted. */
type Taken = Promise<void> | false | undefined;

/**
 * Gives all rows of a source to `take`, table by table. What is left out or mended on the way is noted. Where neither
 * the source nor `take` has to wait, a row costs no promise: that is felt in millions.
 */
export async function read(source: Source, notes: Notes, take: (row: ReadRow) => Taken): Promise<void> {
  let n = 0;
  for (const { name, rows, understand } of source.tables) {
    const takeRaw = (raw: RawRow | BrokenRow) =>
      take({ n: ++n, table: name, raw, entry: understood(name, raw, understand, notes) });
    if (!(await readTable(rows(), takeRaw))) return;
  }
  for (const [name, count] of Object.entries(source.otherTables)) notes.leaveOut(`${name} (table)`, count);
}

/** False where `take` wanted no more. */
async function readTable<R>(rows: AsyncIterable<R> | Iterable<R>, take: (raw: R) => Taken): Promise<boolean> {
  if (Symbol.iterator in rows) {
    for (const raw of rows) {
      const taken = take(raw);
      if (taken === false) return false;
      if (taken) await taken;
    }
  } else {
    for await (const raw of rows) {
      const taken = take(raw);
      if (taken === false) return false;
      if (taken) await taken;
    }
  }
  return true;
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
