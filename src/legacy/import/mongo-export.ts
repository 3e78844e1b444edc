import { EJSON } from 'bson';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import StreamArray from 'stream-json/streamers/StreamArray.js';
import { SourceError } from './source.js';
import { UnreadableValue } from './values.js';

export type MongoRow = Record<string, unknown>;

/**
 * The documents of a file of mongoexport, one after the other: a JSON array, or a document a line. A line that
 * is no document comes as the UnreadableValue it is; a broken array ends the reading with a SourceError.
 */
export async function* documents(file: string): AsyncGenerator<MongoRow | { broken: string; text: string }> {
  if (!(await isArray(file))) {
    yield* lines(file);
    return;
  }
  const stream = createReadStream(file).on('error', () => undefined);
  const elements = stream.pipe(StreamArray.withParser());
  try {
    for await (const { value } of elements as AsyncIterable<{ value: unknown }>) yield revived(value);
  } catch (error) {
    throw new SourceError(`${file} is truncated or no JSON (${(error as Error).message}).`);
  } finally {
    stream.destroy();
  }
}

async function* lines(file: string): AsyncGenerator<MongoRow | { broken: string; text: string }> {
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    if (line.trim() !== '') yield parsed(line);
  }
}

function parsed(line: string): MongoRow | { broken: string; text: string } {
  try {
    return revived(JSON.parse(line));
  } catch {
    return { broken: 'not valid JSON', text: line.slice(0, 1000) };
  }
}

function revived(value: unknown): MongoRow | { broken: string; text: string } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { broken: 'not a document', text: JSON.stringify(value).slice(0, 1000) };
  }
  try {
    return EJSON.deserialize(value) as MongoRow;
  } catch {
    // One bad date or id must not cost the rest of the document: what is readable field by field is read so.
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, revivedField(field)]));
  }
}

function revivedField(field: unknown): unknown {
  try {
    return (EJSON.deserialize({ field }) as { field: unknown }).field;
  } catch {
    return new UnreadableValue(JSON.stringify(field).slice(0, 200));
  }
}

async function isArray(file: string): Promise<boolean> {
  const handle = await open(file).catch(() => {
    throw new SourceError(`${file} cannot be read: is the path right?`);
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4096), 0, 4096, 0);
    return buffer
      .toString('utf8', 0, bytesRead)
      .replace(/^\uFEFF/, '')
      .trimStart()
      .startsWith('[');
  } finally {
    await handle.close();
  }
}
