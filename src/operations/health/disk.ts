import { statfs } from 'node:fs/promises';
import { hasCode } from '../../platform/error-code.js';

/** What is left where this folder lies; nothing where there is no such folder, because nothing is kept in it then. */
export async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
