import { isUtf8 } from 'node:buffer';
import { MAX_DEPTH, objectOf } from './json.js';
import type { RawRow } from './row.js';
import { BrokenRow, SourceError } from './source.js';

const SHOWN = 1000;
/** What one element may take in memory, and all that stands beside a list. Nothing that people made is bigger. */
const MAX_ELEMENT = 64 * 1024 * 1024;
const MAX_BESIDE = 1024 * 1024;

const IN_STRING = /["\\]/g;
const BETWEEN = /["[\]{},]/g;
const INSIDE = /["[\]{}]/g;

/** The fields of an object, with the list in it empty: those before it, and in the end all. */
export class Beside {
  constructor(
    readonly fields: RawRow,
    readonly isWhole: boolean,
  ) {}
}

/**
 * The elements of a JSON array one after the other, or the one object that a file is; what is not JSON, or bigger or
 * deeper than anything real, comes as a BrokenRow. With `field` those of the list in that field of an object: a Beside
 * comes before the first and after the last. Each is parsed by itself, which is three times as fast as building it from
 * tokens. Throws SourceError where the file is no such JSON in UTF-8, or ends before it.
 */
export async function* jsonElements(
  name: string,
  bytes: AsyncIterable<Buffer>,
  field?: string,
): AsyncGenerator<unknown> {
  const splitter = new Splitter(field);
  try {
    for await (const chunk of bytes) yield* splitter.add(chunk);
    yield* splitter.end();
  } catch (error) {
    if (error instanceof SourceError) throw error;
    const expected = field === undefined ? 'truncated or no JSON' : `cut off, or no JSON object with ${field}`;
    throw new SourceError(`${name} is ${expected} (${(error as Error).message}).`);
  }
}

/** The same of a list of objects; what is none comes as a BrokenRow with the reason `otherwise`. */
export async function* jsonObjects(
  name: string,
  bytes: AsyncIterable<Buffer>,
  otherwise: string,
): AsyncGenerator<RawRow | BrokenRow> {
  for await (const element of jsonElements(name, bytes)) yield objectOr(element, otherwise);
}

export function objectOr(element: unknown, otherwise: string): RawRow | BrokenRow {
  const row = element instanceof BrokenRow ? element : objectOf(element);
  return row === element ? row : new BrokenRow(otherwise, JSON.stringify(element).slice(0, SHOWN));
}

/** Finds the structure, which is ASCII, in the bytes: read as Latin-1, each is one character. */
class Splitter {
  private where: 'before' | 'inside' | 'behind' = 'before';
  private depth = 0;
  /** The depth of the elements. */
  private floor: number;
  private readonly opening: RegExp;
  private inString = false;
  private isEscaped = false;
  private isFirst = true;
  private beside: Buffer[] = [];
  private besideSize = 0;
  private element: Buffer[] = [];
  private size = 0;
  private flaw: string | undefined;

  constructor(private readonly field: string | undefined) {
    this.floor = field === undefined ? 1 : 2;
    this.opening = field === undefined ? /^\s*[[{]$/ : new RegExp(`"${field}"\\s*:\\s*\\[$`);
  }

  /** Throws where this cannot be what the file should be. */
  *add(chunk: Buffer): Generator<unknown> {
    const text = chunk.toString('latin1');
    let at = this.isEscaped ? 1 : 0;
    let start = 0;
    this.isEscaped &&= text === '';
    while (at < text.length) {
      const pattern = this.inString ? IN_STRING : this.isBetween() ? BETWEEN : INSIDE;
      pattern.lastIndex = at;
      if (!pattern.test(text)) break;
      at = pattern.lastIndex;
      const mark = text.charAt(at - 1);
      if (mark === '\\') {
        this.isEscaped = at === text.length;
        at += 1;
      } else if (mark === '"') this.inString = !this.inString;
      else if (mark === '[' || mark === '{') {
        this.deeper();
        if (this.where !== 'before' || this.depth !== this.floor) continue;
        this.keep(chunk.subarray(start, at));
        start = at;
        yield* this.begun(mark);
      } else if (mark === ',') {
        this.keep(chunk.subarray(start, at - 1));
        start = at;
        yield this.taken();
      } else if (this.hasEnded()) {
        const end = this.floor === 0 ? at : at - 1;
        this.keep(chunk.subarray(start, end));
        start = end;
        if (!this.isNothing()) yield this.taken();
        this.where = 'behind';
      }
    }
    this.keep(chunk.subarray(start));
  }

  /** Throws where the text ended too early, or is no JSON beside the elements. */
  *end(): Generator<Beside> {
    if (this.where === 'before') throw new Error('there is no list in it');
    if (this.where === 'inside') throw new Error('it ends too early');
    const fields = objectOf(this.parsedBeside(''));
    if (this.field !== undefined) yield new Beside(fields, true);
  }

  private isBetween(): boolean {
    return this.where === 'inside' && this.depth === this.floor;
  }

  private deeper(): void {
    this.depth += 1;
    if (this.where === 'inside' && this.depth - this.floor > MAX_DEPTH) this.flaw ??= 'nested too deeply';
  }

  /** One level less: whether that was the list. */
  private hasEnded(): boolean {
    this.depth -= 1;
    return this.where === 'inside' && this.depth < (this.floor || 1);
  }

  /** Throws where a file that should be but a list is none. */
  private *begun(mark: string): Generator<Beside> {
    if (!this.opening.test(Buffer.concat(this.beside).toString())) {
      if (this.field === undefined) throw new Error('neither an array nor an object');
      return;
    }
    this.where = 'inside';
    if (this.field !== undefined) yield new Beside(objectOf(this.parsedBeside(']}')), false);
    if (mark !== '{') return;
    this.floor = 0;
    this.beside = [Buffer.from('[]')];
    this.keep(Buffer.from(mark));
  }

  private parsedBeside(rest: string): unknown {
    return JSON.parse(`${Buffer.concat(this.beside).toString()}${rest}`.replace(/^\uFEFF/, ''));
  }

  /** No more of what is flawed than is there. Throws where too much stands beside the list. */
  private keep(bytes: Buffer): void {
    if (this.where === 'inside') {
      this.size += bytes.length;
      if (this.size > MAX_ELEMENT) this.flaw ??= `bigger than ${MAX_ELEMENT} bytes`;
      if (this.flaw === undefined || this.element.length === 0) this.element.push(bytes);
      return;
    }
    this.besideSize += bytes.length;
    if (this.besideSize > MAX_BESIDE) throw new Error('there is too much in it beside the list');
    this.beside.push(bytes);
  }

  /** Whether a list ended before it had an element. */
  private isNothing(): boolean {
    return this.isFirst && this.size < SHOWN && Buffer.concat(this.element).toString().trim() === '';
  }

  /** Throws where a file that is but a list is no UTF-8. */
  private taken(): unknown {
    const [only, ...more] = this.element;
    const bytes = only && more.length === 0 ? only : Buffer.concat(this.element);
    const flaw = this.flaw;
    this.element = [];
    this.size = 0;
    this.flaw = undefined;
    this.isFirst = false;
    if (flaw) return broken(flaw, bytes);
    if (!isUtf8(bytes)) {
      if (this.field === undefined) throw new Error('not valid UTF-8');
      return broken('not valid UTF-8', bytes);
    }
    try {
      return JSON.parse(bytes.toString()) as unknown;
    } catch {
      return broken('not valid JSON', bytes);
    }
  }
}

function broken(reason: string, bytes: Buffer): BrokenRow {
  const text = bytes.toString('utf8', 0, 4 * SHOWN);
  return new BrokenRow(reason, text.trim().slice(0, SHOWN));
}
