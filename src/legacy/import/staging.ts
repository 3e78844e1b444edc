import type { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { finished } from 'node:stream/promises';
import { setImmediate as breath } from 'node:timers/promises';

/** What waits here is what may be in memory of a table. */
const FLUSH_CHARACTERS = 256 * 1024;
/** After so many rows the connection gets its turn: else what is to be written would wait until reading does. */
const BREATH = 64;

export type Field = string | number | boolean | Date | string[] | null;

const MESSAGES = `
  n bigint, source_table text, ext text COLLATE "C", room_ext text COLLATE "C", id uuid, author uuid, role text,
  content text, metadata jsonb, tokens integer, created timestamptz(3), read timestamptz(3), names jsonb,
  mentioned uuid[], place double precision, edited timestamptz(3), reply_ext text COLLATE "C", pinned boolean,
  fingerprint bigint, stored bigint`;

/** What was read, in tables that go with the transaction. Nothing is judged yet. */
export const STAGES = {
  old_rooms: `
    n bigint, source_table text, ext text COLLATE "C", id uuid, kind text, owner uuid, agent uuid, advocate uuid,
    server uuid, people uuid[], parent_ext text COLLATE "C", root_ext text COLLATE "C", type text, title text,
    topic text, category uuid, category_name text, closed boolean, standing boolean, position integer,
    created timestamptz(3), updated timestamptz(3), fingerprint bigint`,
  old_messages: MESSAGES,
  /** What each thread would hang on, if nothing else is there. */
  old_roots: MESSAGES,
  old_revisions: `
    n bigint, source_table text, ext text COLLATE "C", room_ext text COLLATE "C", message_ext text COLLATE "C",
    content text, created timestamptz(3), fingerprint bigint`,
  old_reactions: `
    n bigint, source_table text, ext text COLLATE "C", room_ext text COLLATE "C", message_ext text COLLATE "C",
    person uuid, emoji text, created timestamptz(3)`,
  refused: `n bigint, source_table text, reason text`,
};

export type Stage = keyof typeof STAGES;

export async function createStages(client: Client): Promise<void> {
  for (const [name, columns] of Object.entries(STAGES)) {
    await client.query(`CREATE TEMP TABLE ${name} (${columns}) ON COMMIT DROP`);
  }
}

/**
 * Writes rows into the stages by one short COPY after the other, at the pace that the database takes them. None stays
 * open, since nothing else could be asked of the connection meanwhile.
 */
export class Stager {
  private readonly waiting = Object.fromEntries(Object.keys(STAGES).map((stage) => [stage, ''])) as Record<
    Stage,
    string
  >;
  private full: Stage | undefined;
  private inFlight: Promise<void> | undefined;
  private asked = 0;

  constructor(private readonly client: Client) {}

  add(stage: Stage, fields: Field[]): void {
    this.waiting[stage] += `${fields.map(encoded).join('\t')}\n`;
    if (this.waiting[stage].length > FLUSH_CHARACTERS) this.full = stage;
  }

  /** To be asked after each row: what is to be waited for before more is added, if anything. */
  room(): Promise<void> | undefined {
    if (this.full) return this.flush(this.full);
    this.asked += 1;
    return this.inFlight && this.asked % BREATH === 0 ? breath() : undefined;
  }

  async end(): Promise<void> {
    for (const stage of Object.keys(STAGES) as Stage[]) await this.flush(stage);
    await this.inFlight;
  }

  /** Waits for the flush before this one only, so that reading and writing overlap. */
  private async flush(stage: Stage): Promise<void> {
    const chunk = Buffer.from(this.waiting[stage]);
    this.waiting[stage] = '';
    this.full = undefined;
    if (chunk.length === 0) return;
    await this.inFlight;
    const copy = this.client.query(copyFrom(`COPY ${stage} FROM STDIN`));
    copy.end(chunk);
    this.inFlight = finished(copy).then(() => (this.inFlight = undefined));
    this.inFlight.catch(() => undefined);
  }
}

function encoded(field: Field): string {
  if (field === null) return '\\N';
  if (field instanceof Date) return field.toISOString();
  if (Array.isArray(field)) return `{${field.join()}}`;
  if (typeof field !== 'string') return String(field);
  return /[\\\n\r\t]/.test(field) ? field.replace(/[\\\n\r\t]/g, escaped) : field;
}

function escaped(character: string): string {
  return { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character] as string;
}
