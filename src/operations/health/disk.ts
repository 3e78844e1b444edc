import { statfs } from 'node:fs/promises';

/** What is left where this folder lies; nothing where there is no such folder, because nothing is kept in it then. */
export async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
