import { link, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { hasCode } from '../../error-code.js';
import { isAlive, isPostgresOf } from './process-identity.js';

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly status: 'starting' | 'ready' | 'stopping' | 'unknown';
}

export type LockState =
  | { readonly kind: 'free' }
  /** Just made, not written yet. */
  | { readonly kind: 'unsettled' }
  | { readonly kind: 'held'; readonly postmaster: Postmaster }
  /** Left by a server that died. One that names a live process stands in the way of the next server. */
  | { readonly kind: 'stale'; readonly content: string; readonly blocks: boolean };

const SETTLING_MS = 2_000;

/** Takes the cluster's folder (a real path), gives what its postmaster.pid says. */
export async function readLock(clusterDir: string): Promise<LockState> {
  const file = lockFile(clusterDir);
  const content = await readFile(file, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (content === undefined) return { kind: 'free' };

  const postmaster = parse(content);
  if (!postmaster) return (await isFresh(file)) ? { kind: 'unsettled' } : { kind: 'stale', content, blocks: true };
  if (await isPostgresOf(postmaster.pid, clusterDir)) return { kind: 'held', postmaster };
  return { kind: 'stale', content, blocks: isAlive(postmaster.pid) };
}

/**
 * Takes away the lock file that was judged stale. A server that another starter brought up in the meantime has written
 * a new one: that is put back.
 */
export async function removeStaleLock(clusterDir: string, judged: string): Promise<void> {
  const file = lockFile(clusterDir);
  const aside = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== judged) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
}

function lockFile(clusterDir: string): string {
  return path.join(clusterDir, 'postmaster.pid');
}

function parse(content: string): Postmaster | undefined {
  const lines = content.split('\n').map((line) => line.trim());
  // A server in single-user mode notes its process id as a negative number.
  const pid = Math.abs(Number(lines[0]));
  if (!Number.isSafeInteger(pid) || pid === 0) return undefined;
  const status = (['starting', 'ready', 'stopping'] as const).find((known) => known === lines[7]);
  return { pid, port: Number(lines[3]), status: status ?? 'unknown' };
}

async function isFresh(file: string): Promise<boolean> {
  const written = (await stat(file).catch(() => undefined))?.mtimeMs;
  return written === undefined || Math.abs(Date.now() - written) < SETTLING_MS;
}
