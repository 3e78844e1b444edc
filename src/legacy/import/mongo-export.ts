import { EJSON } from 'bson';
import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import streamArray from 'stream-json/streamers/stream-array.js';
import { readMongoUser } from './mongo-user.js';
import type { RawRow } from './row.js';
import { BrokenRow, type Source, SourceError, type SourceTable } from './source.js';
import { UnreadableValue } from './values.js';

const SHOWN = 1000;

type Collection = Pick<SourceTable, 'name' | 'count' | 'rows'>;

/**
 * The file of a collection in a folder, however its name is spelled: chatsessions.json, chatMessages.ndjson. Throws
 * SourceError where it is missing.
 */
async function collection(folder: string, name: string): Promise<Collection> {
  const found = await optionalCollection(folder, name);
  if (!found) throw new SourceError(`${folder} has no ${name}.json.`);
  return found;
}

/** Gives nothing where there is no such file. */
async function optionalCollection(folder: string, name: string): Promise<Collection | undefined> {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new SourceError(`${folder} is no folder: give the one with the files of mongoexport.`);
  const pattern = new RegExp(`^${name}\\.(json|ndjson|jsonl)$`, 'i');
  const files = (await readdir(folder)).filter((each) => pattern.test(each));
  if (files.length > 1) throw new SourceError(`${folder} has more than one file of ${name}: ${files.join(', ')}.`);
  if (!files[0]) return undefined;
  const file = path.join(folder, files[0]);
  return { name, rows: () => documents(file), count: () => countDocuments(file) };
}

/**
 * The collections of an old chat backend in the folder of their files; each system reads its rows in its own way. People
 * need not be among them: who is named only becomes an account without a password.
 */
export async function mongoSource(
  system: string,
  location: string,
  label: string,
  read: { session: SourceTable['understand']; message: SourceTable['understand'] },
): Promise<Source> {
  const sessions = await collection(location, 'chatsessions');
  const messages = await collection(location, 'chatmessages');
  const people = await optionalCollection(location, 'users');
  return {
    system,
    label,
    location,
    ownerless: `legacy-user-${Date.now()}`,
    unknownUsers: 'account',
    tables: [
      ...(people ? [{ ...people, understand: readMongoUser }] : []),
      { ...sessions, understand: read.session },
      { ...messages, understand: read.message },
    ],
    otherTables: await otherFiles(location, ['users', 'chatsessions', 'chatmessages']),
    close: () => Promise.resolve(),
  };
}

/** Other files in the folder, which are not read. */
async function otherFiles(folder: string, names: string[]): Promise<Record<string, number>> {
  const stems = (await readdir(folder)).filter((file) => !names.includes(path.parse(file).name.toLowerCase()));
  return Object.fromEntries(stems.map((file) => [file, 1]));
}

/**
 * The documents of a file of mongoexport, one after the other: a JSON array, or a document a line. A line that
 * is no document comes as the BrokenRow it is; a broken array ends the reading with a SourceError.
 */
async function* documents(file: string): AsyncGenerator<RawRow | BrokenRow> {
  for await (const value of values(file)) yield value instanceof BrokenRow ? value : revived(value);
}

async function countDocuments(file: string): Promise<number> {
  let count = 0;
  for await (const _ of values(file)) count += 1;
  return count;
}

async function* values(file: string): AsyncGenerator<unknown> {
  const stream = createReadStream(file);
  try {
    if (await isArray(file)) {
      const elements = stream.on('error', () => undefined).pipe(streamArray.withParserAsStream());
      for await (const { value } of elements as AsyncIterable<{ value: unknown }>) yield value;
    } else {
      for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
        if (line.trim() !== '') yield parsed(line.replace(/^\uFEFF/, ''));
      }
    }
  } catch (error) {
    throw new SourceError(`${file} is truncated or no JSON (${(error as Error).message}).`);
  } finally {
    stream.destroy();
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return new BrokenRow('not valid JSON', line);
  }
}

function revived(value: unknown): RawRow | BrokenRow {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return new BrokenRow('not a document', JSON.stringify(value).slice(0, SHOWN));
  }
  try {
    return EJSON.deserialize(value) as RawRow;
  } catch {
    // One bad date or id must not cost the rest of the document: what is readable field by field is read so.
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, revivedField(field)]));
  }
}

function revivedField(field: unknown): unknown {
  try {
    return (EJSON.deserialize({ field }) as { field: unknown }).field;
  } catch {
    return new UnreadableValue(JSON.stringify(field).slice(0, SHOWN));
  }
}

async function isArray(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4096), 0, 4096, 0);
    const start = buffer.toString('utf8', 0, bytesRead).replace(/^\uFEFF/, '');
    return start.trimStart().startsWith('[');
  } finally {
    await handle.close();
  }
}
