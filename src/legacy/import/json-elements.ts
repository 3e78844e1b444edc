import { objectOf } from './json.js';
import type { RawRow } from './row.js';
import { BrokenRow, SourceError } from './source.js';

const SHOWN = 1000;
/** What one element may take in memory. Nothing that people made is bigger, nor deeper. */
const MAX_CHARACTERS = 64 * 1024 * 1024;
const MAX_DEPTH = 500;

const IN_STRING = /["\\]/g;
const BETWEEN = /["[\]{},]/g;
const INSIDE = /["[\]{}]/g;

/**
 * The elements of a JSON array one after the other, or the one object that a file is; what is not JSON, or bigger or
 * deeper than anything real, comes as a BrokenRow. Each is parsed by itself, which is three times as fast as building it
 * from tokens. Throws SourceError where the file is no array or object of JSON in UTF-8, or ends before it.
 */
export async function* jsonElements(name: string, bytes: AsyncIterable<Buffer>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const splitter = new Splitter();
  try {
    for await (const chunk of bytes) yield* splitter.add(decoder.decode(chunk, { stream: true }));
    yield* splitter.add(decoder.decode());
    splitter.end();
  } catch (error) {
    if (error instanceof SourceError) throw error;
    throw new SourceError(`${name} is truncated or no JSON (${(error as Error).message}).`);
  }
}

/** The same of a list of objects; what is none comes as a BrokenRow with the reason `otherwise`. */
export async function* jsonObjects(
  name: string,
  bytes: AsyncIterable<Buffer>,
  otherwise: string,
): AsyncGenerator<RawRow | BrokenRow> {
  for await (const element of jsonElements(name, bytes)) {
    const row = element instanceof BrokenRow ? element : objectOf(element);
    if (row === element) yield row;
    else yield new BrokenRow(otherwise, JSON.stringify(element).slice(0, SHOWN));
  }
}

class Splitter {
  private depth = 0;
  /** The depth of the elements: 1 in an array. */
  private floor = 0;
  private state: 'before' | 'in' | 'after' = 'before';
  private inString = false;
  private isEscaped = false;
  private isFirst = true;
  private parts: string[] = [];
  private size = 0;
  private flaw: string | undefined;

  *add(chunk: string): Generator<unknown> {
    let at = this.isEscaped ? 1 : 0;
    let start = 0;
    this.isEscaped &&= chunk === '';
    if (this.state === 'before') start = at = this.begin(chunk);
    while (this.state === 'in' && at < chunk.length) {
      const pattern = this.inString ? IN_STRING : this.depth > this.floor ? INSIDE : BETWEEN;
      pattern.lastIndex = at;
      if (!pattern.test(chunk)) break;
      at = pattern.lastIndex;
      const mark = chunk.charAt(at - 1);
      if (mark === '\\') {
        this.isEscaped = at === chunk.length;
        at += 1;
      } else if (mark === '"') this.inString = !this.inString;
      else if (mark === '[' || mark === '{') this.deeper();
      else if (mark === ',' || --this.depth === 0) {
        if (mark !== ',') this.state = 'after';
        this.keep(chunk.slice(start, this.floor === 0 ? at : at - 1));
        start = at;
        if (mark === ',' || !this.isNothing()) yield this.taken();
      }
    }
    if (this.state === 'in') this.keep(chunk.slice(start));
    else if (chunk.slice(start).trim() !== '') throw new Error('something else stands where it should be');
  }

  /** Throws where the text ended too early. */
  end(): void {
    if (this.state !== 'after') throw new Error('it ends too early');
  }

  /** Gives where the first element begins. */
  private begin(chunk: string): number {
    const at = chunk.search(/\S/);
    if (at < 0) return chunk.length;
    const mark = chunk.charAt(at);
    if (mark !== '[' && mark !== '{') throw new Error('neither an array nor an object');
    this.state = 'in';
    this.floor = this.depth = mark === '[' ? 1 : 0;
    return at + this.floor;
  }

  private deeper(): void {
    this.depth += 1;
    if (this.depth > MAX_DEPTH) this.flaw ??= 'nested too deeply';
  }

  /** Of what is flawed only the beginning. */
  private keep(part: string): void {
    this.size += part.length;
    if (this.size > MAX_CHARACTERS) this.flaw ??= `bigger than ${MAX_CHARACTERS} characters`;
    if (this.flaw) this.parts = [this.parts.join('').slice(0, SHOWN) + part.slice(0, SHOWN)];
    else if (part !== '') this.parts.push(part);
  }

  /** Whether an array ended before it had an element. */
  private isNothing(): boolean {
    return this.isFirst && this.size < SHOWN && this.parts.join('').trim() === '';
  }

  private taken(): unknown {
    const text = this.parts.join('');
    const flaw = this.flaw;
    this.parts = [];
    this.size = 0;
    this.flaw = undefined;
    this.isFirst = false;
    if (flaw) return new BrokenRow(flaw, text.slice(0, SHOWN));
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return new BrokenRow('not valid JSON', text.slice(0, SHOWN));
    }
  }
}
