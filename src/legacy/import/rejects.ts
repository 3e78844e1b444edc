import type { Client } from 'pg';
import Cursor from 'pg-cursor';
import { read, type ReadRow } from './reading.js';
import { Notes } from './row.js';
import { BrokenRow, type Source } from './source.js';

export interface Reject {
  table: string;
  reason: string;
  /** As it stands in the source. */
  row: unknown;
}

/** Reads the source once more for the rows that were refused, so that each is told as it stands there. Gives how many. */
export async function tellRejects(
  client: Client,
  source: Source,
  tell: (reject: Reject) => Promise<void>,
): Promise<number> {
  let rejected = 0;
  const cursor = client.query(
    new Cursor<{ n: string; reason: string }>(`SELECT n, reason FROM refused ORDER BY n, reason`),
  );
  try {
    let [refused] = await cursor.read(1);
    const reject = async ({ table, raw }: ReadRow, reason: string) => {
      await tell({ table, reason, row: raw instanceof BrokenRow ? raw.text : raw });
      rejected += 1;
      [refused] = await cursor.read(1);
    };
    if (!refused) return 0;
    await read(source, new Notes(), (row) => {
      if (!refused) return false;
      return row.n === Number(refused.n) ? reject(row, refused.reason) : undefined;
    });
  } finally {
    await cursor.close();
  }
  return rejected;
}
