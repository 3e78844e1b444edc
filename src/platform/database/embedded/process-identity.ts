import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { hasCode } from '../../error-code.js';

/** Whether a process of this id exists, be it somebody else's or a zombie. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

/** Whether the process is a PostgreSQL server on this folder (a real path), rather than a stranger that got its id. */
export async function isPostgresOf(pid: number, clusterDir: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (process.platform === 'linux') return isPostgresOnLinux(pid, clusterDir);
  if (process.platform === 'win32') return /postgres/i.test(await output('tasklist', ['/FI', `PID eq ${pid}`, '/NH']));
  const commandLine = await output('ps', ['-ww', '-p', String(pid), '-o', 'command=']);
  return commandLine.includes('postgres') && commandLine.includes(clusterDir);
}

async function isPostgresOnLinux(pid: number, clusterDir: string): Promise<boolean> {
  // A zombie has no command line: where nobody reaps orphans a dead server stays one.
  const commandLine = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  if (!path.basename(commandLine[0] ?? '').includes('postgres')) return false;
  // Root in a container may not ask where a process of another user is.
  const folder = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  return folder === undefined ? commandLine.includes(clusterDir) : folder === clusterDir;
}

async function output(program: string, args: string[]): Promise<string> {
  return promisify(execFile)(program, args, { timeout: 5_000, windowsHide: true }).then(
    ({ stdout }) => stdout,
    () => '',
  );
}
