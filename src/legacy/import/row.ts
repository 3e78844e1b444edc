import { parsedOr } from './json.js';
import { fitsIndex, MAX_KEY_BYTES, MendedText, readTime, storable, storableJson, UnreadableValue } from './values.js';

export type RawRow = Record<string, unknown>;

/** As much as full-text search takes of any text: a character beyond ASCII weighs four there. */
const MAX_TEXT = 200_000;
const BEYOND_ASCII = 4;
const TOO_LONG = (name: string) => `${name} is longer than ${MAX_TEXT} characters (one beyond ASCII counts for four)`;
export const MAX_TOKENS = 2 ** 31 - 1;

/** What happened to fields, by `table.field`: not carried, or carried with stand-ins for what cannot be stored. */
export class Notes {
  private readonly leftOut = new Map<string, number>();
  private readonly mended = new Map<string, number>();

  leaveOut(name: string, count = 1): void {
    add(this.leftOut, name, count);
  }

  mend(name: string): void {
    add(this.mended, name, 1);
  }

  all(): { leftOut: Record<string, number>; mended: Record<string, number> } {
    return { leftOut: Object.fromEntries(this.leftOut), mended: Object.fromEntries(this.mended) };
  }
}

/** A document names its fields as it likes: the report of the import keeps what can be stored. */
function add(counts: Map<string, number>, name: string, count: number): void {
  const stored = storable(name);
  counts.set(stored, (counts.get(stored) ?? 0) + count);
}

/**
 * One row of a source. Whatever a reader does not take out of it is left out by name, so that no field can be
 * forgotten in silence. What is there and cannot be read throws UnreadableValue.
 */
export class Row {
  private readonly taken: string[] = [];

  constructor(
    private readonly table: string,
    private readonly raw: RawRow,
    private readonly notes: Notes,
  ) {}

  /** Whether this field holds something. It is not taken by this. */
  has(name: string): boolean {
    const value = this.raw[name];
    return value !== undefined && value !== null && value !== '';
  }

  take(name: string): unknown {
    this.taken.push(name);
    const value = this.raw[name];
    if (value instanceof UnreadableValue) throw new UnreadableValue(`unreadable ${name}: ${value.message}`);
    return value ?? null;
  }

  /** The same without taking it. */
  peek(name: string): unknown {
    return this.raw[name] ?? null;
  }

  /** An object in a field, itself a row: what is not taken out of it is left out by name. */
  inner(name: string): Row {
    const value = this.take(name);
    const object = parsedOr(value);
    if (!isObject(object)) throw new UnreadableValue(`${name} is no JSON object`);
    return new Row(`${this.table}.${name}`, object, this.notes);
  }

  text(name: string): string | null {
    const value = this.take(name);
    if (value === null) return null;
    if (value instanceof MendedText) this.notes.mend(`${this.table}.${name}`);
    return this.stored(name, value instanceof MendedText ? value.text : this.plain(name, value));
  }

  /** A text that was made of this field, as it can be stored. */
  stored(name: string, text: string): string {
    const stored = storable(text);
    if (stored !== text) this.notes.mend(`${this.table}.${name}`);
    mustFitSearch(name, stored);
    return stored;
  }

  needText(name: string): string {
    const text = this.text(name);
    if (text === null) throw new UnreadableValue(`${name} is missing`);
    return text;
  }

  /** A text that can be looked up. */
  needName(name: string): string {
    const text = this.needText(name);
    mustFitIndex(name, text);
    return text;
  }

  /** The text of an id, whatever type it has there. */
  id(name: string): string | null {
    const value = this.take(name);
    if (typeof value === 'object' && value !== null && 'toHexString' in value) {
      return (value as { toHexString(): string }).toHexString();
    }
    const id = value === null ? '' : storable(this.plain(name, value).trim());
    mustFitIndex(name, id);
    return id === '' ? null : id;
  }

  needId(name: string): string {
    const id = this.id(name);
    if (id === null) throw new UnreadableValue(`no ${name}`);
    return id;
  }

  time(name: string): Date | null {
    return readTime(this.take(name));
  }

  /** An http(s) address; anything else counts as not taken. */
  url(name: string): string | null {
    const value = this.raw[name];
    return typeof value === 'string' && /^https?:\/\//.test(value) ? this.text(name) : null;
  }

  /** A count of tokens. */
  tokens(name: string): number | null {
    const value = this.number(name);
    if (value === null) return null;
    if (!Number.isInteger(value) || value < 0 || value > MAX_TOKENS) throw new UnreadableValue(`unreadable ${name}`);
    return value;
  }

  number(name: string): number | null {
    const value = this.take(name);
    if (value === null || value === '') return null;
    const number = typeof value === 'number' ? value : Number(this.plain(name, value));
    if (Number.isNaN(number)) throw new UnreadableValue(`${name} is no number`);
    return number;
  }

  /** An object as it stands; anything else, text that is no JSON included, as `{ [otherwise]: it }`. */
  json(name: string, otherwise: string): Record<string, unknown> | null {
    const value = this.take(name);
    if (value === null || value === '') return null;
    const raw = value instanceof MendedText ? value.text : value;
    const parsed = parsedOr(raw);
    const json = storableJson(isObject(parsed) ? parsed : { [otherwise]: raw }) as Record<string, unknown>;
    mustFitSearch(name, JSON.stringify(json));
    return json;
  }

  /** To be called when the row has been understood. */
  leaveRest(): void {
    for (const name in this.raw) {
      const value = this.raw[name];
      if (value === null || value === undefined || this.taken.includes(name)) continue;
      this.notes.leaveOut(`${this.table}.${name}`);
    }
  }

  private plain(name: string, value: unknown): string {
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
    if (value instanceof MendedText) return value.text;
    if (typeof value === 'object' && value !== null && '_bsontype' in value)
      return (value as { toString(): string }).toString();
    throw new UnreadableValue(`${name} is not a text`);
  }
}

/** For texts that a reader puts together. Throws UnreadableValue. */
export function mustFitSearch(name: string, text: string): void {
  if (isTooLong(text)) throw new UnreadableValue(TOO_LONG(name));
}

function isTooLong(text: string): boolean {
  if (text.length * BEYOND_ASCII <= MAX_TEXT) return false;
  const beyond = text.length <= MAX_TEXT ? (text.match(/[^\0-\x7f]/g) ?? []).length : 0;
  return text.length + beyond * (BEYOND_ASCII - 1) > MAX_TEXT;
}

function mustFitIndex(name: string, text: string): void {
  if (!fitsIndex(text)) throw new UnreadableValue(`${name} is longer than ${MAX_KEY_BYTES} bytes`);
}

function isObject(value: unknown): value is RawRow {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
