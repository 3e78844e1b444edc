import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ImportReport } from '../../legacy/import/importer.js';
import type { Comparison } from '../../legacy/import/verifying.js';

/** Rows per table, and what was left out: what the source holds, and what becomes of it. */
export function foundText({ tables, leftOut }: Pick<ImportReport, 'tables' | 'leftOut'>): string {
  const rows = Object.entries(tables).map(
    ([table, { found, carried, before, rejected }]) =>
      `  ${table}: ${found} found = ${carried} to carry + ${before} carried before + ${rejected} rejected`,
  );
  const left = Object.entries(leftOut).map(([name, count]) => `  ${name} (${count})`);
  return ['Found:', ...rows, ...(left.length > 0 ? ['Left out by design:', ...left] : [])].join('\n');
}

export function comparisonText(conversations: Comparison[]): string {
  const line = (c: Comparison) =>
    `  ${c.conversation}: source ${c.sourceCount} ${c.sourceChecksum} | target ${c.targetCount} ${c.targetChecksum}` +
    (c.matches ? ' | equal' : ' | DIFFERENT');
  return ['Compared, source against target:', ...conversations.map(line)].join('\n');
}

export function doneText(report: ImportReport): string {
  const sum = (name: string) => Object.entries(report.tables).find(([table]) => table.endsWith(name))?.[1].carried ?? 0;
  const sessions = sum('session') || sum('sessions') || sum('conversations') || sum('chatchannel');
  const messages = sum('message') || sum('messages');
  return [
    ...(report.conversations.length > 0 ? [comparisonText(report.conversations)] : []),
    ...report.renamed.map((line) => `Renamed: ${line}`),
    `Accounts made: ${report.accounts}; agents made, switched off: ${report.agents}.`,
    `Updated ${sessions} sessions and ${messages} messages; 0 are left without an owner.`,
    report.importId ? `Import ${report.importId}` : 'Nothing new: everything was carried over before.',
  ].join('\n');
}

/** Writes the rows that were not carried beside the caller, a line each. Gives the file's name. */
export async function writeRejects(rejects: ImportReport['rejects'], file?: string): Promise<string> {
  const name = path.resolve(file ?? `legacy-rejects-${new Date().toISOString().replace(/[:.]/g, '-')}.ndjson`);
  const bigints = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
  await writeFile(name, rejects.map((reject) => `${JSON.stringify(reject, bigints)}\n`).join(''), { mode: 0o600 });
  return name;
}
