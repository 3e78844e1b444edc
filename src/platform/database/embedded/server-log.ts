import { closeSync, openSync } from 'node:fs';
import { open, rename, stat } from 'node:fs/promises';

const TOO_BIG = 10 * 1024 * 1024;
const TAIL_BYTES = 8 * 1024;
const TAIL_LINES = 15;

/** The file that the server writes to. It is read back to say why a start failed. */
export class ServerLog {
  constructor(readonly file: string) {}

  async size(): Promise<number> {
    return (await stat(this.file).catch(() => undefined))?.size ?? 0;
  }

  /** Puts a file that grew too big aside. Only for a start: a running server goes on writing to the old one. */
  async rotate(): Promise<void> {
    if ((await this.size()) > TOO_BIG) await rename(this.file, `${this.file}.1`).catch(() => undefined);
  }

  /** Takes what needs a descriptor to write to, and closes it afterwards. */
  withDescriptor<T>(work: (descriptor: number) => T): T {
    const descriptor = openSync(this.file, 'a', 0o600);
    try {
      return work(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  /** Gives what was written from this offset on, at most the last few kilobytes. */
  async since(offset: number): Promise<string> {
    const handle = await open(this.file, 'r').catch(() => undefined);
    if (!handle) return '';
    try {
      const { size } = await handle.stat();
      const start = Math.max(Math.min(offset, size), size - TAIL_BYTES);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await handle.close();
    }
  }

  /** Gives the last lines, to put under a message; nothing where there are none. */
  async tail(offset = 0): Promise<string> {
    const lines = (await this.since(offset)).trimEnd().split('\n').slice(-TAIL_LINES);
    return lines.join('') === ''
      ? ''
      : `\nThe last lines of ${this.file}:\n${lines.map((line) => `  ${line}`).join('\n')}`;
  }
}
