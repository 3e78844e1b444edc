import type { Entry, SourceRow } from '../source.js';
import { UnreadableValue } from '../values.js';

/** Understands one row; what is thrown as UnreadableValue is the reason why it cannot be carried. */
export function understood(table: string, row: unknown, understand: () => Entry): SourceRow {
  try {
    return { table, row, entry: understand() };
  } catch (error) {
    if (!(error instanceof UnreadableValue)) throw error;
    return { table, row, entry: { kind: 'unreadable', reason: error.message } };
  }
}

/** Counts, by name, the fields that hold something and are not carried. */
export class LeftOut {
  private readonly counts = new Map<string, number>();

  note(table: string, row: Record<string, unknown>, carried: ReadonlySet<string>): void {
    for (const [name, value] of Object.entries(row)) {
      if (!carried.has(name) && value !== null && value !== undefined) this.add(`${table}.${name}`);
    }
  }

  add(name: string, count = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + count);
  }

  clear(): void {
    this.counts.clear();
  }

  all(): Record<string, number> {
    return Object.fromEntries(this.counts);
  }
}
