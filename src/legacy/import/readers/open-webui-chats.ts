import { listOf, objectOf, parsed, textOf } from '../json.js';
import type { RawRow } from '../row.js';
import type { SqliteFile } from '../sqlite.js';
import { type ChatTree, placesIn } from './chat-tree.js';

/** Seconds and milliseconds occur in one file. */
const BY_TIME = 'iif(created_at > 10000000000, created_at / 1000.0, created_at), rowid';
const OF_NO_CHAT = 'NOT EXISTS (SELECT 1 FROM chat WHERE chat.id = chat_message.chat_id)';

/** A message of the table, by its id in the chat. */
interface Stored {
  id: string;
  raw: RawRow;
}

/** The messages of each chat, wherever they are kept, with their place on the branch that is shown. */
export class Chats {
  readonly hasTable: boolean;

  constructor(private readonly file: SqliteFile) {
    this.hasTable = file.tables().includes('chat_message');
  }

  /** Those that stand in the JSON only. */
  countInChats(): number {
    return this.count((id, stored) => !stored.has(id));
  }

  /** Those that stand in the JSON as well as in the table, which has the newer form. */
  olderCopies(): Record<string, number> {
    const copies = this.hasTable ? this.count((id, stored) => stored.has(id)) : 0;
    return copies > 0 ? { 'chat.messages, older copies': copies } : {};
  }

  *inChats(): Generator<RawRow> {
    for (const { tree, stored } of this.trees()) {
      for (const [id, place] of placesIn(tree)) {
        if (!stored.has(id)) yield { ...tree.messages.get(id)?.raw, ...place };
      }
    }
  }

  *inTable(): Generator<RawRow> {
    for (const { tree, rows } of this.trees()) {
      const places = placesIn(tree);
      // One that stands there twice has one place: that is told when both are judged.
      for (const { id, raw } of rows) yield { ...raw, ...places.get(id), stored: true };
    }
    yield* this.file.rows('chat_message', 'rowid', OF_NO_CHAT);
  }

  private *trees(): Generator<{ tree: ChatTree; rows: Stored[]; stored: ReadonlySet<string> }> {
    for (const chat of this.file.rows('chat')) {
      const json = parsed(chat.chat);
      const history = objectOf(json.history);
      const messages: ChatTree['messages'] = new Map();
      for (const [id, message] of messagesIn(json)) {
        messages.set(id, { parent: textOf(message.parentId), role: textOf(message.role), raw: message });
      }
      const rows = this.storedOf(chat.id);
      for (const { id, raw } of rows) {
        messages.set(id, { parent: this.shortId(chat.id, raw.parent_id), role: textOf(raw.role), raw });
      }
      const linear = Array.isArray(json.messages) ? json.messages : [];
      const last = objectOf(linear.at(-1)).id;
      const current = [history.currentId, json.currentId, last].map(textOf).find((id) => id && messages.has(id));
      yield {
        tree: { chat: String(chat.id), current: current ?? [...messages.keys()].at(-1), messages },
        rows,
        stored: idsOf(rows),
      };
    }
  }

  private storedOf(chat: unknown): Stored[] {
    if (!this.hasTable || chat === null) return [];
    const rows = this.file.rows('chat_message', BY_TIME, 'chat_id = ?', chat);
    return [...rows].map((raw) => ({ id: this.shortId(chat, raw.id) ?? '', raw }));
  }

  /** In the table a message is called by its chat and its id there. */
  private shortId(chat: unknown, id: unknown): string | null {
    const text = textOf(id);
    return text?.startsWith(`${String(chat)}-`) ? text.slice(String(chat).length + 1) : text;
  }

  private count(isMeant: (id: string, stored: ReadonlySet<string>) => boolean): number {
    let count = 0;
    for (const chat of this.file.rows('chat')) {
      const stored = idsOf(this.storedOf(chat.id));
      count += [...messagesIn(parsed(chat.chat)).keys()].filter((id) => isMeant(id, stored)).length;
    }
    return count;
  }
}

function idsOf(rows: Stored[]): ReadonlySet<string> {
  return new Set(rows.map(({ id }) => id));
}

/** By id. A chat without a history has them in a list only, each after the one before it. */
function messagesIn(json: RawRow): Map<string, RawRow> {
  const history = Object.entries(objectOf(objectOf(json.history).messages));
  if (history.length > 0) return new Map(history.map(([id, raw]) => [id, objectOf(raw)]));
  const messages = new Map<string, RawRow>();
  let parentId: string | null = null;
  for (const message of listOf(json.messages).map(objectOf)) {
    const own = textOf(message.id);
    const id: string = own === null || messages.has(own) ? `${own ?? ''}#${messages.size}` : own;
    messages.set(id, { ...message, parentId });
    parentId = id;
  }
  return messages;
}
