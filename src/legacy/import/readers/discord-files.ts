import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { objectOf } from '../json.js';
import { Beside, jsonElements, objectOr } from '../json-elements.js';
import { type BrokenRow, SourceError } from '../source.js';
import type { RawRow } from '../row.js';

/** A folder of this name holds channels that not everybody in the server could see. */
const PRIVATE = 'private';

/** The first second of 2015, in milliseconds: from there Discord counts. */
const EPOCH = 1_420_070_400_000;
const SNOWFLAKE = /^\d{15,20}$/;

/** One file of DiscordChatExporter: a channel, a thread or a direct conversation, or a part of one. */
export interface DiscordFile {
  path: string;
  guild: RawRow;
  channel: RawRow;
  isPrivate: boolean;
}

/**
 * The exports in a folder and its folders, or the one file. Other JSON files are named. Throws SourceError where there is
 * none.
 */
export async function discordFiles(location: string): Promise<{ files: DiscordFile[]; others: string[] }> {
  const found = await stat(location).catch(() => undefined);
  if (!found) throw new SourceError(`${location} is not there.`);
  const paths = found.isDirectory() ? await jsonFilesIn(location) : [location];
  const files: DiscordFile[] = [];
  const others: string[] = [];
  for (const each of paths) {
    try {
      files.push({ ...(await headOf(each)), path: each, isPrivate: isPrivate(location, each) });
    } catch (error) {
      if (each === location || !(error instanceof SourceError)) throw error;
      others.push(path.relative(location, each));
    }
  }
  if (files.length === 0) throw new SourceError(`${location} has no JSON export of DiscordChatExporter.`);
  return { files, others };
}

/** The text of an id that is one. */
export function idOf(value: unknown): string | null {
  return typeof value === 'string' && /^[\w-]{1,100}$/.test(value) ? value : null;
}

/** When something was made: the upper bits of its id. */
export function timeOfId(id: string): Date | null {
  return SNOWFLAKE.test(id) ? new Date(Number(BigInt(id) >> 22n) + EPOCH) : null;
}

/** Every message of a file. Throws SourceError where the file ends early. */
export async function* messagesIn(file: DiscordFile): AsyncGenerator<RawRow | BrokenRow> {
  let count = 0;
  for await (const part of partsOf(file.path)) {
    if (part instanceof Beside) {
      if (part.isWhole) mustCount(file, part.fields, count);
      continue;
    }
    count += 1;
    yield objectOr(part, 'not a message');
  }
}

function partsOf(file: string): AsyncGenerator<unknown> {
  return jsonElements(file, createReadStream(file, { highWaterMark: 1024 * 1024 }), 'messages');
}

/** What counts its messages at the end was written to its end. */
function mustCount(file: DiscordFile, { messageCount }: RawRow, count: number): void {
  if (messageCount === count) return;
  const says = typeof messageCount === 'number' ? `counts ${messageCount}` : 'does not count them at its end';
  throw new SourceError(`${file.path} has ${count} messages and ${says}: it is cut off or changed. Export it again.`);
}

async function headOf(file: string): Promise<{ guild: RawRow; channel: RawRow }> {
  for await (const part of partsOf(file)) {
    if (!(part instanceof Beside)) break;
    const { guild, channel } = part.fields;
    if (typeof objectOf(channel).id !== 'string' || typeof objectOf(guild).id !== 'string') break;
    return { guild: objectOf(guild), channel: objectOf(channel) };
  }
  throw new SourceError(`${file} is no JSON export of DiscordChatExporter: it names no guild and channel.`);
}

/** In one order, whatever the file system gives. What was downloaded beside an export is none. */
async function jsonFilesIn(folder: string): Promise<string[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const found: string[] = [];
  for (const entry of entries) {
    const each = path.join(folder, entry.name);
    if (entry.name.startsWith('.') || entry.name.endsWith('_Files')) continue;
    if (entry.isDirectory()) found.push(...(await jsonFilesIn(each)));
    else if (entry.isFile() && /\.json$/i.test(entry.name)) found.push(each);
  }
  return found;
}

function isPrivate(location: string, file: string): boolean {
  const folders = path.dirname(path.relative(path.dirname(path.resolve(location)), path.resolve(file)));
  return folders.split(path.sep).some((name) => name.toLowerCase() === PRIVATE);
}
