import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

const FORMAT = 1;
const FILE = 'manifest.json';

/** One file of a backup: where in it, how large, and its SHA-256 in hex. */
export interface StoredFile {
  file: string;
  bytes: number;
  sha256: string;
}

export interface StoredTable extends StoredFile {
  table: string;
  columns: string[];
  rows: number;
}

/** All tables in pg_dump's format. */
export interface StoredDump extends StoredFile {
  /** Such as `pg_dump 18.4`. */
  by: string;
}

/** What a backup says of itself. It is written last, so that a backup without one is known to be unfinished. */
export interface Manifest {
  format: number;
  /** Of the release that wrote it. */
  version: string;
  createdAt: string;
  /** The names of the migrations that its tables have, in order. */
  migrations: string[];
  tables: StoredTable[];
  /** In the place of `tables`. */
  dump?: StoredDump;
  files: StoredFile[];
}

export class BackupError extends Error {}

export async function writeManifest(folder: string, manifest: Omit<Manifest, 'format'>): Promise<void> {
  const text = JSON.stringify({ format: FORMAT, ...manifest }, null, 2);
  await writeFile(path.join(folder, FILE), `${text}\n`, { mode: 0o600 });
}

/** Throws BackupError where the folder holds no backup, or one of another format. */
export async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(path.join(folder, FILE), 'utf8').catch(() => undefined);
  if (text === undefined) throw new BackupError(`${folder} holds no finished backup: it has no ${FILE}.`);
  const manifest = JSON.parse(text) as Manifest;
  if (manifest.format !== FORMAT) {
    throw new BackupError(`The backup has the format ${manifest.format}; this release reads ${FORMAT}.`);
  }
  return manifest;
}
