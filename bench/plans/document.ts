import { percentile } from '../load/report.js';
import type { Size } from '../support/crowd.js';
import type { Call } from './calls.js';
import { buffersOf, scansOf, type Statement } from './explained.js';

/** What became of one call. */
export interface Result {
  call: Call;
  statements: Statement[];
  /** Milliseconds over HTTP, one after the other. */
  times: number[];
}

export function documentOf(results: Result[], { size, version }: { size: Size; version: string }): string {
  return [
    '# How each list is read, and a message changed',
    '',
    `Written by \`npm run bench:plans\`: PostgreSQL ${version} with its default settings, ${count(size.messages)} messages in`,
    `${count(size.channels)} channels (half of them in one), ${count(size.members)} people in 1 to 15 servers and one that all are in, ten short`,
    'sessions with an agent of each, and what they do with messages. The plans are those of the statements that the app sent, as `auto_explain` wrote them once each had been',
    'asked several times. Where one reads the whole of a table of more than 10,000 rows, the command fails.',
    '',
    'Buffers are pages of 8 KiB and ms the time in PostgreSQL while it measures itself, of all statements of the call together. p50 and p99 are',
    'milliseconds over HTTP, one call after the other, each for another person or place, with nothing measured inside.',
    '',
    '| call | of | statements | read by | buffers | ms | p50 | p99 | goal |',
    '|---|---|---|---|---|---|---|---|---|',
    ...results.map(rowOf),
    '',
    '# The plans',
    '',
    ...results.flatMap(plansOf),
    '',
  ].join('\n');
}

function rowOf({ call, statements, times }: Result): string {
  const scans = [...new Set(statements.flatMap(({ plan }) => scansOf(plan)))];
  const cells = [
    `\`${call.what}\``,
    call.about,
    statements.length,
    scans.map(shortly).join(', '),
    count(statements.reduce((sum, { plan }) => sum + buffersOf(plan), 0)),
    statements.reduce((sum, { ms }) => sum + ms, 0).toFixed(1),
    times.length > 0 ? percentile(times, 0.5).toFixed(1) : '',
    times.length > 0 ? percentile(times, 0.99).toFixed(1) : '',
    call.goal,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The index says it all, and a small table is read without one. */
function shortly(scan: string): string {
  const [, index] = /using (\w+)/.exec(scan) ?? /Bitmap Index Scan on (\w+)/.exec(scan) ?? [];
  return `\`${index ?? scan}\``;
}

function plansOf({ call, statements }: Result): string[] {
  const title = `${call.what} ${call.about}`.trim();
  const plans = statements.flatMap(({ sql, plan, ms }) => [`-- ${firstWords(sql)}: ${ms.toFixed(2)} ms`, plan, '']);
  return [`<details><summary>${title}</summary>`, '', '```', ...plans, '```', '', '</details>', ''];
}

function firstWords(sql: string): string {
  const line = sql.replace(/\s+/g, ' ').trim();
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
