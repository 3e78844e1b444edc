import { createReadStream } from 'node:fs';
import { SourceError } from './source.js';

/** All that may stand beside the array, and what may be in memory of one element. */
const MAX_BESIDE = 1024 * 1024;
const MAX_ELEMENT = 16 * 1024 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN = new Set([0x5b, 0x7b]);
const CLOSE = new Set([0x5d, 0x7d]);
const OPEN_ARRAY = 0x5b;

/** A part of a file: what stands before the array, each element as it is written there, and all that stands beside them. */
export interface Part {
  is: 'head' | 'element' | 'giant' | 'whole';
  text: Buffer;
}

/**
 * Takes a JSON object apart of which one field is an array that may be larger than memory: `{ "head": 1, "field": [...],
 * "tail": 2 }`. Head and whole come as JSON with an empty array. An element of more than 16 MB comes by its beginning.
 * Throws SourceError where the file ends early or has no such array.
 */
export async function* partsOf(file: string, field: string): AsyncGenerator<Part> {
  const scan = new Scan(new RegExp(`"${field}"\\s*:\\s*$`));
  const stream = createReadStream(file, { highWaterMark: 1024 * 1024 });
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) yield* scan.parts(chunk);
  } catch (error) {
    if (error instanceof SourceError) throw new SourceError(`${file} ${error.message}`);
    throw new SourceError(`${file} cannot be read (${(error as Error).message}).`);
  } finally {
    stream.destroy();
  }
  if (!scan.isWhole) throw new SourceError(`${file} is cut off, or no JSON object with ${field}: export it again.`);
}

/** Where in the file the scan stands. Structure is ASCII, so that bytes are enough. */
class Scan {
  isWhole = false;
  private depth = 0;
  private inString = false;
  private isEscaped = false;
  private where: 'before' | 'inside' | 'behind' = 'before';
  private beside: Buffer[] = [];
  private element: Buffer[] = [];
  private size = 0;

  constructor(private readonly opening: RegExp) {}

  *parts(chunk: Buffer): Generator<Part> {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      if (this.inString) {
        at = this.endOfString(chunk, at);
        continue;
      }
      const byte = chunk[at] as number;
      if (byte === QUOTE) this.inString = true;
      else if (OPEN.has(byte)) {
        this.depth += 1;
        if (byte !== OPEN_ARRAY || this.depth !== 2 || this.where !== 'before') continue;
        this.keep(chunk.subarray(from, at));
        if (!this.opening.test(Buffer.concat(this.beside).toString())) {
          from = at;
          continue;
        }
        this.beside.push(Buffer.from('[]'));
        yield { is: 'head', text: Buffer.concat([...this.beside, Buffer.from('}')]) };
        this.where = 'inside';
        from = at + 1;
      } else if (CLOSE.has(byte)) {
        this.depth -= 1;
        if (this.where === 'inside' && this.depth === 1) {
          yield* this.ended(chunk.subarray(from, at));
          this.where = 'behind';
          from = at + 1;
        } else if (this.depth === 0) {
          this.keep(chunk.subarray(from, at + 1));
          this.isWhole = this.where === 'behind';
          if (this.isWhole) yield { is: 'whole', text: Buffer.concat(this.beside) };
          return;
        }
      } else if (byte === COMMA && this.where === 'inside' && this.depth === 2) {
        yield* this.ended(chunk.subarray(from, at));
        from = at + 1;
      }
    }
    this.keep(chunk.subarray(from));
  }

  /** The place of the quote that ends the string, or the end of the chunk. */
  private endOfString(chunk: Buffer, start: number): number {
    let at = start;
    if (this.isEscaped) {
      this.isEscaped = false;
      at += 1;
    }
    for (; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (byte === QUOTE) {
        this.inString = false;
        return at;
      }
      if (byte !== BACKSLASH) continue;
      at += 1;
      this.isEscaped = at === chunk.length;
    }
    return at;
  }

  /** Throws SourceError where there is too much beside the array. */
  private keep(bytes: Buffer): void {
    if (this.where === 'inside') {
      if (this.size < MAX_ELEMENT) this.element.push(Buffer.from(bytes));
      this.size += bytes.length;
      return;
    }
    this.beside.push(Buffer.from(bytes));
    if (this.beside.reduce((sum, { length }) => sum + length, 0) > MAX_BESIDE) {
      throw new SourceError('is no such export: there is too much in it beside the list.');
    }
  }

  private *ended(bytes: Buffer): Generator<Part> {
    this.keep(bytes);
    const text = Buffer.concat(this.element);
    const isGiant = this.size > MAX_ELEMENT;
    this.element = [];
    this.size = 0;
    if (isGiant) yield { is: 'giant', text: text.subarray(0, 1000) };
    else if (text.toString('latin1').trim() !== '') yield { is: 'element', text };
  }
}
