import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { documents, type MongoRow } from '../mongo-export.js';
import { type Entry, SourceError, type SourceRow } from '../source.js';
import { UnreadableValue } from '../values.js';
import { understood } from './reading.js';

/** The two files of a folder, however their names are spelled: chatsessions.json, chatmessages.ndjson. */
export class MongoFolder {
  private readonly seen: Record<string, number> = {};

  private constructor(private readonly files: Record<'chatsessions' | 'chatmessages', string>) {}

  /** Throws SourceError where a file is missing. */
  static async open(folder: string): Promise<MongoFolder> {
    const isFolder = await stat(folder).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (!isFolder)
      throw new SourceError(`${folder} is no folder: give the one with chatsessions.json and chatmessages.json.`);
    const names = await readdir(folder);
    const find = (stem: string): string => {
      const name = names.find((each) => new RegExp(`^${stem}\\.(json|ndjson|jsonl)$`, 'i').test(each));
      if (!name) throw new SourceError(`${folder} has no ${stem}.json.`);
      return path.join(folder, name);
    };
    return new MongoFolder({ chatsessions: find('chatsessions'), chatmessages: find('chatmessages') });
  }

  /** A pass of its own through both files. */
  async count(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const [table, file] of Object.entries(this.files)) {
      counts[table] = 0;
      for await (const _ of documents(file)) counts[table] += 1;
    }
    return counts;
  }

  async *rows(session: (row: MongoRow) => Entry, message: (row: MongoRow) => Entry): AsyncGenerator<SourceRow> {
    for (const [table, understand] of [
      ['chatsessions', session],
      ['chatmessages', message],
    ] as const) {
      this.seen[table] = 0;
      for await (const row of documents(this.files[table])) {
        yield understood(table, row, () => {
          if ('broken' in row) throw new UnreadableValue(String(row.broken));
          const wrong = Object.values(row).find((value) => value instanceof UnreadableValue);
          if (wrong) throw new UnreadableValue(`unreadable value ${wrong.message}`);
          return understand(row);
        });
      }
    }
  }
}
