import { type Client, DatabaseError } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { carry, type Updated } from './carrying.js';
import { withSearchBeside } from './index-upkeep.js';
import { Intake } from './intake.js';
import { judge, mustBeItself } from './judging.js';
import { countRows, read } from './reading.js';
import { type Reject, tellRejects } from './rejects.js';
import { Notes } from './row.js';
import { type Source, SourceError } from './source.js';
import { type Tally, tallies } from './tallies.js';
import { namedId } from './values.js';
import { type Comparison, verify } from './verifying.js';

/** What the source holds and what becomes of it. */
export interface Found {
  tables: Record<string, Tally>;
  /** Fields and tables that are not carried, by name, with how often they hold something. */
  leftOut: Record<string, number>;
  /** Fields in which characters that cannot be stored were replaced. */
  mended: Record<string, number>;
}

export interface ImportReport extends Found {
  /** None where there was nothing new. */
  importId: string | null;
  accounts: number;
  agents: number;
  renamed: string[];
  rejected: number;
  updated: Updated;
  conversations: Comparison[];
}

export interface ImportOptions {
  owner?: string | undefined;
  migration?: string | undefined;
  /** Everything is read and told, and nothing written. */
  isRehearsal?: boolean;
  /** Told what was found before anything is written. */
  onFound: (found: Found) => void;
  onReject: (reject: Reject) => Promise<void>;
  onProgress: (step: 'read' | 'written', rows: number, of: number) => void;
}

/** Broken unique indexes and foreign keys. */
const MET = ['23505', '23503'];

const NOTHING = {
  importId: null,
  accounts: 0,
  agents: 0,
  updated: { sessions: 0, messages: 0, reactions: 0 },
  conversations: [],
};

/** What tells one installation of one system from all others. */
export function scopeOf({ system, label }: Pick<Source, 'system' | 'label'>): string {
  return namedId(null, 'scope', system, label);
}

/** Of imports from one installation, and of what takes them out, one at a time: until the transaction ends. */
export async function lockInstallation(client: Client, source: Pick<Source, 'system' | 'label'>): Promise<void> {
  await client.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, [scopeOf(source)]);
}

/**
 * Carries a source over inside the transaction that `client` is in; whoever opened it commits, or rolls back where
 * this throws. Throws MismatchError where counts or checksums differ, SourceError for a source that cannot be read.
 */
export async function importSource(client: Client, source: Source, options: ImportOptions): Promise<ImportReport> {
  const scope = scopeOf(source);
  await lockInstallation(client, source);
  await client.query(`SET LOCAL work_mem = '64MB'`);
  const notes = new Notes();
  const counts = await countRows(source);
  const intake = await takeIn(client, source, scope, notes, counts, options);
  await judge(client, scope, notes);
  await mustBeItself(client, source.system, scope);

  const found = { tables: await tallies(client, intake.judged, counts), ...notes.all() };
  options.onFound(found);
  const rejected = await tellRejects(client, source, options.onReject);
  const { renamed } = intake.people;
  const summary = { ...found, renamed, rejected };
  if (options.isRehearsal) return { ...NOTHING, ...summary };
  const importId = uuidv7();
  await client.query(
    `INSERT INTO imports (id, source, label, location, migration, report) VALUES ($1, $2, $3, $4, $5, '{}')`,
    [importId, source.system, source.label, source.location, options.migration ?? null],
  );
  const { total, updated, conversations, ...made } = await unlessMet(() => write(client, intake, importId, options));
  const { sessions, messages, reactions } = updated;
  const isEmpty = total + sessions + messages + reactions === 0 && !options.migration;
  if (isEmpty) await client.query(`DELETE FROM imports WHERE id = $1`, [importId]);
  else {
    const report = JSON.stringify({ ...summary, ...made, updated });
    await client.query(`UPDATE imports SET report = $2 WHERE id = $1`, [importId, report]);
  }
  return { importId: isEmpty ? null : importId, ...summary, ...made, updated, conversations };
}

async function write(client: Client, intake: Intake, importId: string, { onProgress }: ImportOptions) {
  const made = await intake.store(importId);
  const carried = await withSearchBeside(client, async () => ({
    updated: await carry(client, intake.scope, importId, (rows, of) => onProgress('written', rows, of)),
    conversations: await verify(client),
  }));
  return { ...made, ...carried };
}

/** An agent, a session or a direct conversation that somebody makes, or deletes, while this is written, is seen only then. */
async function unlessMet<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DatabaseError) || !MET.includes(error.code ?? '')) throw error;
    throw new SourceError(
      `Somebody has made or deleted something meanwhile that comes with this import (${error.message}): run it again.`,
    );
  }
}

async function takeIn(
  client: Client,
  source: Source,
  scope: string,
  notes: Notes,
  counts: Record<string, number>,
  { owner, onProgress }: ImportOptions,
): Promise<Intake> {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const intake = await Intake.open(client, scope, source, notes, owner);
  let rows = 0;
  onProgress('read', 0, total);
  await read(source, notes, (row) => {
    rows += 1;
    if (rows % 5_000 === 0) onProgress('read', rows, total);
    return intake.add(row);
  });
  await intake.end();
  onProgress('read', rows, total);
  return intake;
}
