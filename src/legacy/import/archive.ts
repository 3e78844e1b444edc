import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { type Source, SourceError } from './source.js';

/** Real exports pack to a tenth or a thirtieth; deflate can do a thousandth, of nothing but repetition. */
const MAX_RATIO = 250;
const ALWAYS_FINE = 16 * 1024 * 1024;
/** What systems leave beside the files. */
const LITTER = /(^|\/)(__MACOSX\/|\.DS_Store$|Thumbs\.db$|\._)/;

/** The files of an export, read-only, by their paths with slashes: of a folder, of the ZIP of one, or one by itself. */
export class Archive {
  readonly names: readonly string[];

  constructor(
    readonly location: string,
    names: string[],
    private readonly open: (name: string) => Promise<{ bytes: Readable; crc?: number }>,
    readonly close: () => Promise<void>,
  ) {
    this.names = names.filter((name) => !LITTER.test(name)).sort();
  }

  /** Throws SourceError where the file is encrypted or damaged, or unpacks to what nobody has written. */
  async *read(name: string): AsyncGenerator<Buffer> {
    const { bytes, crc } = await this.open(name);
    let sum = 0;
    try {
      for await (const chunk of bytes as AsyncIterable<Buffer>) {
        sum = crc32(chunk, sum);
        yield chunk;
      }
    } catch (error) {
      throw this.damaged(name, (error as Error).message);
    } finally {
      bytes.destroy();
    }
    if (crc !== undefined && sum !== crc) throw this.damaged(name, 'its checksum is another');
  }

  private damaged(name: string, how: string): SourceError {
    return new SourceError(`${name} in ${this.location} is damaged or truncated (${how}).`);
  }
}

/**
 * What `open` makes of an archive, which is closed with it, or where that fails. Throws SourceError for what is missing,
 * truncated, no ZIP, or has paths that lead out of it.
 */
export async function sourceIn(
  location: string,
  open: (archive: Archive) => Promise<Omit<Source, 'location' | 'close'>>,
): Promise<Source> {
  const archive = await openArchive(location);
  try {
    return { ...(await open(archive)), location, close: archive.close };
  } catch (error) {
    await archive.close();
    throw error;
  }
}

async function openArchive(location: string): Promise<Archive> {
  const found = await stat(location).catch(() => {
    throw new SourceError(`${location} cannot be read: is the path right?`);
  });
  if (found.isDirectory()) return folder(location, location, await filesIn(location));
  if (/\.json$/i.test(location)) return folder(location, path.dirname(location), [path.basename(location)]);
  return zip(location);
}

/** Files that are not carried: JSON by name, everything else (pictures, recordings, pages) as how many. */
export function filesLeft(names: string[]): Record<string, number> {
  const isJson = (name: string) => /\.json$/i.test(name);
  const rest = names.filter((name) => !isJson(name)).length;
  const json = names.filter(isJson).map((name) => [name, 1] as const);
  return { ...Object.fromEntries(json), ...(rest > 0 && { 'other files': rest }) };
}

function folder(location: string, home: string, names: string[]): Archive {
  const open = (name: string) => Promise.resolve({ bytes: createReadStream(path.join(home, name)) });
  return new Archive(location, names, open, () => Promise.resolve());
}

async function filesIn(home: string): Promise<string[]> {
  const found = await readdir(home, { recursive: true, withFileTypes: true });
  const files = found.filter((each) => each.isFile());
  return files.map((file) => path.relative(home, path.join(file.parentPath, file.name)).replaceAll(path.sep, '/'));
}

async function zip(location: string): Promise<Archive> {
  const file = await openPromise(location, { autoClose: false }).catch((error: Error) => {
    throw new SourceError(`${location} is truncated, or neither a folder nor a ZIP file (${error.message}).`);
  });
  try {
    const entries = await entriesOf(file, location);
    const open = async (name: string) => {
      const entry = entries.get(name) as Entry;
      mustBeReadable(entry, location);
      return { bytes: await file.openReadStreamPromise(entry), crc: entry.crc32 };
    };
    return new Archive(location, [...entries.keys()], open, () => Promise.resolve(file.close()));
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Paths that lead out of the archive are refused while these are read. */
async function entriesOf(file: ZipFile, location: string): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  try {
    for await (const entry of file.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue;
      if (entries.has(entry.fileName)) throw new Error(`two files are called ${entry.fileName}`);
      entries.set(entry.fileName, entry);
    }
  } catch (error) {
    throw new SourceError(`${location} is no ZIP file as it should be (${(error as Error).message}).`);
  }
  return entries;
}

function mustBeReadable(entry: Entry, location: string): void {
  const { fileName, uncompressedSize: size, compressedSize } = entry;
  const unpacked = `Unpack ${location} yourself and give the folder.`;
  if (entry.isEncrypted()) throw new SourceError(`${fileName} is encrypted. ${unpacked}`);
  if (!entry.canDecodeFileData()) throw new SourceError(`${fileName} is packed in an uncommon way. ${unpacked}`);
  if (size <= ALWAYS_FINE || size <= compressedSize * MAX_RATIO) return;
  throw new SourceError(`${fileName} in ${location} would unpack to ${size} bytes from ${compressedSize}: a ZIP bomb.`);
}
