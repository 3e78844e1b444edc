import type { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { storable } from './values.js';

const FLUSH_CHARACTERS = 256 * 1024;

export type Field = string | number | boolean | Date | null;

/** Rows and messages as they were read, in a table that goes with the transaction. Nothing is judged yet. */
export const STAGED = `
  CREATE TEMP TABLE staged (
    n bigint NOT NULL, is_room boolean NOT NULL, source_table text NOT NULL, ext text COLLATE "C" NOT NULL,
    room_ext text COLLATE "C", person uuid, other uuid, role text, body text, flag boolean,
    metadata jsonb, tokens integer, created timestamptz(3), updated timestamptz(3), place double precision,
    fingerprint bigint, server uuid, reason text
  ) ON COMMIT DROP`;

const COLUMNS =
  'n, is_room, source_table, ext, room_ext, person, other, role, body, flag, metadata, tokens, created, updated, ' +
  'place, fingerprint, server, reason';

/** Writes rows to the staged table by COPY, with the pace that the database takes them. */
export class Stager {
  private readonly stream;
  private readonly done: Promise<void>;
  private waiting = '';

  constructor(client: Client) {
    this.stream = client.query(copyFrom(`COPY staged (${COLUMNS}) FROM STDIN`));
    this.done = finished(this.stream);
    this.done.catch(() => undefined);
  }

  async add(fields: Field[]): Promise<void> {
    this.waiting += `${fields.map(encoded).join('\t')}\n`;
    if (this.waiting.length > FLUSH_CHARACTERS) await this.flush();
  }

  async end(): Promise<void> {
    await this.flush();
    this.stream.end();
    await this.done;
  }

  private async flush(): Promise<void> {
    const chunk = this.waiting;
    this.waiting = '';
    if (!this.stream.write(chunk)) await Promise.race([once(this.stream, 'drain'), this.done]);
  }
}

function encoded(field: Field): string {
  if (field === null) return '\\N';
  if (field instanceof Date) return field.toISOString();
  if (typeof field !== 'string') return String(field);
  const text = storable(field);
  return /[\\\n\r\t]/.test(text) ? text.replace(/[\\\n\r\t]/g, escaped) : text;
}

function escaped(character: string): string {
  return { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character] as string;
}
