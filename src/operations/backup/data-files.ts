import { createReadStream } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { hasCode } from '../../platform/error-code.js';
import { sha256Of, writeChecked } from './checked-file.js';
import { BackupError, type StoredFile } from './manifest.js';

const FOLDER = 'files';
/** In DATA_DIR, but no data: the embedded database, which is kept as tables, and the keys, which are kept apart. */
const LEFT_OUT = /^(postgres|postgres\..*|.*\.key|.*\.lock|tmp)$/;

/** Copies what lies in DATA_DIR beside the database: uploaded files. One that goes meanwhile is not missed. */
export async function keepFiles(dataDir: string, backup: string): Promise<StoredFile[]> {
  const kept: StoredFile[] = [];
  for (const file of await filesIn(dataDir)) {
    const target = path.join(backup, FOLDER, file);
    await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
    try {
      const { bytes, sha256 } = await writeChecked(createReadStream(path.join(dataDir, file)), target);
      kept.push({ file: path.posix.join(FOLDER, file), bytes, sha256 });
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }
  return kept;
}

/** Puts them back. Throws BackupError, before it writes anything, where another file stands in the place of one. */
export async function putFilesBack(files: StoredFile[], backup: string, dataDir: string): Promise<void> {
  const missing: StoredFile[] = [];
  for (const stored of files) {
    const there = await sha256Of(placeOf(stored, dataDir)).catch(() => undefined);
    if (there === undefined) missing.push(stored);
    else if (there !== stored.sha256) {
      throw new BackupError(`${placeOf(stored, dataDir)} is there already, and another one.`);
    }
  }
  for (const stored of missing) {
    const target = placeOf(stored, dataDir);
    await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
    await writeChecked(createReadStream(path.join(backup, stored.file)), target);
  }
}

function placeOf({ file }: StoredFile, dataDir: string): string {
  const place = path.resolve(dataDir, path.relative(FOLDER, file));
  if (!place.startsWith(path.resolve(dataDir) + path.sep)) throw new BackupError(`${file} leads out of the backup.`);
  return place;
}

async function filesIn(dataDir: string): Promise<string[]> {
  const top = await readdir(dataDir, { withFileTypes: true }).catch(() => []);
  const folders = top.filter((entry) => entry.isDirectory() && !LEFT_OUT.test(entry.name));
  const found = await Promise.all(
    folders.map(async ({ name }) => {
      const entries = await readdir(path.join(dataDir, name), { withFileTypes: true, recursive: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(dataDir, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'));
    }),
  );
  return found.flat().sort();
}
