import type { Client } from 'pg';
import Cursor from 'pg-cursor';
import { read } from './reading.js';
import { Notes } from './row.js';
import { BrokenRow, type Source } from './source.js';

export interface Reject {
  table: string;
  reason: string;
  /** As it stands in the source. */
  row: unknown;
}

/** Reads the source once more for the rows that were refused, so that each is told as it stands there. */
export async function* rejects(client: Client, source: Source): AsyncGenerator<Reject> {
  const cursor = client.query(
    new Cursor<{ n: string; reason: string }>(`SELECT n, reason FROM refused ORDER BY n, reason`),
  );
  try {
    let [refused] = await cursor.read(1);
    if (!refused) return;
    for await (const { n, table, raw } of read(source, new Notes())) {
      if (n !== Number(refused.n)) continue;
      yield { table, reason: refused.reason, row: raw instanceof BrokenRow ? raw.text : raw };
      [refused] = await cursor.read(1);
      if (!refused) return;
    }
  } finally {
    await cursor.close();
  }
}
