import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsString, Max, MaxLength, Min } from 'class-validator';
import { UUID } from './id.pipe.js';
import { Problem } from './problem.js';
import { Optional } from './optional.js';

export class PageQuery {
  @ApiPropertyOptional({ description: 'How many items at most.', minimum: 1, maximum: 100, default: 50 })
  @Optional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  limit: number = 50;

  @ApiPropertyOptional({ description: '`nextCursor` of the page before.' })
  @Optional()
  @IsString()
  @MaxLength(512)
  cursor?: string;
}

export interface Page<T> {
  items: T[];
  /** Null on the last page. */
  nextCursor: string | null;
}

type Key = string | number;

/**
 * Cuts a page from `limit + 1` rows. Keyset paging: the cursor holds the sort key of the last row that is shown,
 * so that any page costs what the first one costs.
 */
export function pageOf<R, T>(rows: R[], limit: number, keyOf: (row: R) => Key[], present: (row: R) => T): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items: shown.map(present), nextCursor: more ? encode(keyOf(last)) : null };
}

/**
 * The first and the last of all ids. A list that goes back through what belongs to one owner, by id, asks for the range
 * from (owner, first) to (owner, last) in the order of both: asked for by its owner and in the order of ids alone,
 * PostgreSQL reads what was made since for all others where much of the table belongs to this one.
 */
export const FIRST_ID = '00000000-0000-0000-0000-000000000000';
export const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Reads a cursor of as many keys as `form` has, each of its type. Throws 400 for a made-up one. */
export function readCursor<const F extends ('string' | 'number' | 'time' | 'id')[]>(
  cursor: string | undefined,
  form: F,
): { [I in keyof F]: F[I] extends 'number' ? number : string } | undefined {
  if (cursor === undefined) return undefined;
  const keys = decode(cursor);
  if (!Array.isArray(keys) || keys.length !== form.length || !keys.every((key, i) => fits(key, form[i]))) {
    throw Problem.invalid('cursor', 'is not one that this list gave out');
  }
  return keys as never;
}

function fits(key: unknown, form: string | undefined): boolean {
  if (form === 'number') return Number.isSafeInteger(key);
  if (typeof key !== 'string' || key.includes('\u0000')) return false;
  if (form === 'time') return isIsoTime(key);
  if (form === 'id') return UUID.test(key);
  return true;
}

/** As Date.toISOString writes it and PostgreSQL reads it; Date.parse alone takes much that PostgreSQL does not. */
function isIsoTime(key: string): boolean {
  return /^\d{4}-\d\d-\d\dT/.test(key) && !Number.isNaN(Date.parse(key)) && new Date(key).toISOString() === key;
}

function encode(keys: Key[]): string {
  return Buffer.from(JSON.stringify(keys)).toString('base64url');
}

function decode(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
