import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import type { Found, ImportOptions, ImportReport } from '../../legacy/import/importer.js';
import type { Reject } from '../../legacy/import/rejects.js';
import { SourceError } from '../../legacy/import/source.js';
import { type Comparison, MismatchError } from '../../legacy/import/verifying.js';
import { Progress } from './legacy-progress.js';

const REJECTED = 2;

/** Tells the person at the terminal how an import goes, and keeps what it rejects in a file. */
export class ImportConsole {
  private readonly progress = new Progress();
  private readonly rejectsFile: string;
  private rejects: WriteStream | undefined;

  constructor(rejectsFile?: string) {
    this.rejectsFile = path.resolve(
      rejectsFile ?? `legacy-rejects-${new Date().toISOString().replace(/[:.]/g, '-')}.ndjson`,
    );
  }

  /** What importSource is to be told to tell. */
  get listeners(): Pick<ImportOptions, 'onFound' | 'onReject' | 'onProgress'> {
    return {
      onProgress: (step, rows, of) => this.progress.at(step, rows, of),
      onFound: (found) => {
        this.progress.stop();
        say(foundText(found));
      },
      onReject: (reject) => this.keep(reject),
    };
  }

  /** To be called before what was imported is committed: the rejects are on disk when it returns. */
  async finish(report: ImportReport): Promise<void> {
    this.progress.stop();
    if (report.importId !== null) say(doneText(report));
    if (!this.rejects) return;
    this.rejects.end();
    await finished(this.rejects);
    say(`${report.rejected} row(s) rejected, each with its reason: ${this.rejectsFile}`);
    process.exitCode = REJECTED;
  }

  /** Says what differed, where that was it. */
  fail(error: unknown): void {
    this.progress.stop();
    this.rejects?.destroy();
    if (error instanceof MismatchError && error.conversations.length > 0) say(comparisonText(error.conversations));
  }

  /** The row as it stands in the source may hold what is nobody else's business. */
  private async keep(reject: Reject): Promise<void> {
    this.rejects ??= await opened(this.rejectsFile);
    if (!this.rejects.write(`${JSON.stringify(reject, legible)}\n`)) await once(this.rejects, 'drain');
  }
}

/** Throws SourceError where it cannot be written. */
async function opened(file: string): Promise<WriteStream> {
  const stream = createWriteStream(file, { mode: 0o600 });
  try {
    await once(stream, 'open');
    return stream;
  } catch (error) {
    throw new SourceError(`The file of rejects cannot be written: ${(error as Error).message}. Give --rejects.`);
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function legible(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

/** Rows per table, and what was left out: what the source holds, and what becomes of it. */
function foundText({ tables, leftOut, mended }: Found): string {
  const rows = Object.entries(tables).map(
    ([table, { found, carried, before, rejected }]) =>
      `  ${table}: ${found} found = ${carried} to carry + ${before} carried before + ${rejected} rejected`,
  );
  return [
    'Found:',
    ...rows,
    ...named('Left out:', leftOut),
    ...named('Unstorable characters replaced in:', mended),
  ].join('\n');
}

function named(title: string, counts: Record<string, number>): string[] {
  const names = Object.entries(counts).map(([name, count]) => `  ${name} (${count})`);
  return names.length > 0 ? [title, ...names] : [];
}

function comparisonText(conversations: Comparison[]): string {
  const line = (c: Comparison) =>
    `  ${c.conversation}: source ${c.sourceCount} ${c.sourceChecksum} | target ${c.targetCount} ${c.targetChecksum}` +
    (c.matches ? ' | equal' : ' | DIFFERENT');
  return ['Compared, source against target:', ...conversations.map(line)].join('\n');
}

function doneText(report: ImportReport): string {
  const { sessions, messages, reactions } = report.updated;
  return [
    ...(report.conversations.length > 0 ? [comparisonText(report.conversations)] : []),
    ...report.renamed.map((line) => `Renamed: ${line}`),
    `Accounts made: ${report.accounts}; agents made, switched off: ${report.agents}.`,
    `Updated ${sessions} conversations and ${messages} messages; none is left without an owner.`,
    ...(reactions > 0 ? [`Reactions carried: ${reactions}.`] : []),
  ].join('\n');
}
