import { Injectable } from '@nestjs/common';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Config } from '../config/config.js';
import { hasCode } from '../error-code.js';
import { Problem } from '../http/problem.js';

/** The database may live on the same disk, and stops where that is full: uploads stop before. */
const KEPT_FREE = 128 * 1024 * 1024;
const NAME = /^([0-9a-f-]{36})(\.webp)?$/;

/** The id of a file, or what thumbnailOf makes of it. */
export type FileName = string;

export function thumbnailOf(id: string): FileName {
  return `${id}.webp`;
}

/**
 * Where files are, by ids that the house made: no name from outside ever reaches a path. A folder under DATA_DIR; an
 * object store would have these same five methods.
 */
@Injectable()
export class FileStore {
  private readonly folder: string;

  constructor({ dataDir }: Config) {
    this.folder = path.join(dataDir, 'files');
  }

  /**
   * Writes the stream to its end; the file is on disk and has its name when this returns, and is not there where it
   * throws. Throws 507 `storage_full` where there is no room, and what the stream throws.
   */
  async write(name: FileName, content: Readable): Promise<void> {
    const file = this.pathOf(name);
    const part = `${file}.part`;
    try {
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      await this.mustHaveRoom();
      // The sender may have left meanwhile; a pipeline waits for ever for a stream that has ended before.
      if (content.destroyed) throw content.errored ?? new Error('The content ended before it was written.');
      await pipeline(content, createWriteStream(part, { flags: 'wx', mode: 0o600, flush: true }));
      await rename(part, file);
      await syncFolder(path.dirname(file));
    } catch (error) {
      content.destroy();
      await rm(part, { force: true }).catch(() => undefined);
      throw isFull(error) ? storageFull() : error;
    }
  }

  /** Of the bytes `start` to `end`, both included, or all. Emits an error where there is no such file. */
  read(name: FileName, range: { start?: number; end?: number } = {}): Readable {
    return createReadStream(this.pathOf(name), range);
  }

  /** For libraries that read a file themselves. */
  pathOf(name: FileName): string {
    const [, id] = NAME.exec(name) ?? [];
    if (!id) throw new Error('A file has an id, and nothing else, for a name.');
    // The last digits of a UUIDv7 are random, the first are the time.
    return path.join(this.folder, id.slice(-2), id.slice(-4, -2), name);
  }

  async sizeOf(name: FileName): Promise<number> {
    return (await stat(this.pathOf(name))).size;
  }

  /** Also of a file that is not there. */
  async remove(id: string): Promise<void> {
    for (const name of [id, thumbnailOf(id)]) {
      for (const file of [this.pathOf(name), `${this.pathOf(name)}.part`]) await rm(file, { force: true });
    }
  }

  private async mustHaveRoom(): Promise<void> {
    const { bavail, bsize } = await statfs(this.folder);
    if (bavail * bsize < KEPT_FREE) throw storageFull();
  }
}

function isFull(error: unknown): boolean {
  return hasCode(error, 'ENOSPC', 'EDQUOT', 'EFBIG');
}

function storageFull(): Problem {
  return new Problem(507, 'storage_full', 'There is no room for more files.');
}

/** Without this a crash may leave the file without its name. Windows cannot do it. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
