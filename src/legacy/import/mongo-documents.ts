import { EJSON } from 'bson';
import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream';
import streamArray from 'stream-json/streamers/stream-array.js';
import streamValues from 'stream-json/streamers/stream-values.js';
import { isTooDeep } from './json.js';
import type { RawRow } from './row.js';
import { BrokenRow, SourceError } from './source.js';
import { MendedText, UnreadableValue } from './values.js';

const SHOWN = 1000;

/** A document whose line was no UTF-8. */
class Garbled {
  constructor(readonly document: unknown) {}
}

/**
 * The documents of a file of mongoexport, one after the other: a JSON array, a document a line, or documents over many
 * lines (`--pretty`). A line that is no document comes as the BrokenRow it is; anything else that is broken ends the
 * reading with a SourceError.
 */
export async function* documents(file: string): AsyncGenerator<RawRow | BrokenRow> {
  for await (const value of values(file)) {
    if (value instanceof BrokenRow) yield value;
    else yield value instanceof Garbled ? withMended(revived(value.document)) : revived(value);
  }
}

export async function countDocuments(file: string): Promise<number> {
  let count = 0;
  for await (const _ of values(file)) count += 1;
  return count;
}

async function* values(file: string): AsyncGenerator<unknown> {
  try {
    const form = await formOf(file);
    if (form === 'lines') yield* lines(file);
    else yield* parsedWhole(file, form);
  } catch (error) {
    if (error instanceof SourceError) throw error;
    throw new SourceError(`${file} is truncated or no JSON (${(error as Error).message}).`);
  }
}

async function* parsedWhole(file: string, form: 'array' | 'pretty'): AsyncGenerator<unknown> {
  const parser =
    form === 'array' ? streamArray.withParserAsStream() : streamValues.withParserAsStream({ jsonStreaming: true });
  const stream = createReadStream(file);
  try {
    const parsing = pipeline(stream, decoded, parser, () => undefined);
    for await (const { value } of parsing as AsyncIterable<{ value: unknown }>) yield value;
  } finally {
    stream.destroy();
  }
}

/** Throws where the bytes are no UTF-8. */
async function* decoded(bytes: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const chunk of bytes) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

/** Read byte by byte first: readline would end a line at U+2028, and bytes that are no UTF-8 would go unnoticed. */
async function* lines(file: string): AsyncGenerator<unknown> {
  const stream = createReadStream(file, 'latin1');
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
      const bytes = Buffer.from(line, 'latin1');
      const text = bytes.toString().replace(/^\uFEFF/, '');
      if (text.trim() === '') continue;
      const value = parsed(text);
      yield isUtf8(bytes) || value instanceof BrokenRow ? value : new Garbled(value);
    }
  } finally {
    stream.destroy();
  }
}

function parsed(line: string): unknown {
  try {
    const value = JSON.parse(line) as unknown;
    return line.length > SHOWN && isTooDeep(value) ? new BrokenRow('nested too deeply', line) : value;
  } catch {
    return new BrokenRow('not valid JSON', line);
  }
}

function withMended(row: RawRow | BrokenRow): RawRow | BrokenRow {
  if (row instanceof BrokenRow) return row;
  const mended = (field: unknown) =>
    typeof field === 'string' && field.includes('\uFFFD') ? new MendedText(field) : field;
  return Object.fromEntries(Object.entries(row).map(([name, field]) => [name, mended(field)]));
}

function revived(value: unknown): RawRow | BrokenRow {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return notADocument(value);
  }
  if (isTooDeep(value)) return new BrokenRow('nested too deeply', Object.keys(value).join(', ').slice(0, SHOWN));
  try {
    const document: unknown = EJSON.deserialize(value);
    // A date or an id by itself is an object as well, and `{ "$undefined": true }` is nothing.
    return isDocument(document) ? document : notADocument(value);
  } catch {
    // One bad date or id must not cost the rest of the document: what is readable field by field is read so.
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, revivedField(field)]));
  }
}

function isDocument(value: unknown): value is RawRow {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function notADocument(value: unknown): BrokenRow {
  return new BrokenRow('not a document', JSON.stringify(value).slice(0, SHOWN));
}

function revivedField(field: unknown): unknown {
  try {
    return (EJSON.deserialize({ field }) as { field: unknown }).field;
  } catch {
    return new UnreadableValue(JSON.stringify(field).slice(0, SHOWN));
  }
}

/** Throws SourceError where it is not UTF-8. */
async function formOf(file: string): Promise<'array' | 'lines' | 'pretty'> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4096), 0, 4096, 0);
    const mark = buffer.toString('latin1', 0, 2);
    if (mark === '\xff\xfe' || mark === '\xfe\xff') throw new SourceError(`${file} is UTF-16: save it as UTF-8.`);
    const start = buffer
      .toString('utf8', 0, bytesRead)
      .replace(/^\uFEFF/, '')
      .trimStart();
    if (start.startsWith('[')) return 'array';
    return /^\{[ \t]*\r?\n/.test(start) ? 'pretty' : 'lines';
  } finally {
    await handle.close();
  }
}
