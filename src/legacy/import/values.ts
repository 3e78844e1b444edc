import { hash } from 'node:crypto';

/** Seconds up to the year 2286; anything above is milliseconds. */
const LAST_SECOND = 10_000_000_000;
/** An entry of an index holds 2,700 bytes, of which other columns take their part. */
export const MAX_KEY_BYTES = 1000;
const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|[+-]\d\d(?::?\d\d)?)?)?$/;

/** A value, or a row, that cannot be carried; the message is the reason that the rejects file gives. */
export class UnreadableValue extends Error {}

/** Text that was not what it should be, in the form in which it can be stored. */
export class MendedText {
  constructor(readonly text: string) {}
}

/** Takes what the old systems keep as a time: dates, ISO text (UTC without a zone), seconds or milliseconds. */
export function readTime(value: unknown): Date | null {
  if (value === null || value === undefined || value === '') return null;
  const time = value instanceof Date ? value : new Date(milliseconds(value));
  const year = time.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) throw new UnreadableValue('unreadable date');
  return time;
}

function milliseconds(value: unknown): number {
  if (typeof value === 'number' || typeof value === 'bigint') return scaled(Number(value));
  if (typeof value !== 'string') return Number.NaN;
  const text = value.trim();
  if (/^-?\d{9,}(\.\d+)?$/.test(text)) return scaled(Number(text));
  const [, day, clock = '00:00', zone = 'Z'] = ISO.exec(text) ?? [];
  if (!day) return Number.NaN;
  const offset = /^[+-]\d\d$/.test(zone) ? `${zone}:00` : zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2');
  const time = Date.parse(`${day}T${clock.replace(/(\.\d{3})\d+$/, '$1')}${offset}`);
  return isDayOf(day) ? time : Number.NaN;
}

/** Date.parse takes the 31st of February for the 2nd of March. */
function isDayOf(day: string): boolean {
  if (Number(day.slice(8)) <= 28) return true;
  const midnight = Date.parse(day);
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(day);
}

function scaled(value: number): number {
  return Math.abs(value) > LAST_SECOND ? Math.round(value) : Math.round(value * 1000);
}

/** What PostgreSQL cannot hold is shown by its stand-in: U+2400 for NUL, U+FFFD for half a character. */
export function storable(text: string): string {
  const whole = text.includes('\u0000') ? text.replaceAll('\u0000', '\u2400') : text;
  const checked = whole as string & { isWellFormed(): boolean; toWellFormed(): string };
  return checked.isWellFormed() ? whole : checked.toWellFormed();
}

export function fitsIndex(text: string): boolean {
  return text.length * 3 <= MAX_KEY_BYTES || Buffer.byteLength(text) <= MAX_KEY_BYTES;
}

/** Text in JSON, and its keys, made storable all the way down. */
export function storableJson(value: unknown): unknown {
  if (typeof value === 'string') return storable(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(storableJson);
  if (typeof value !== 'object' || value === null) return value;
  const plain: unknown = 'toJSON' in value ? (value as { toJSON(): unknown }).toJSON() : value;
  if (typeof plain !== 'object' || plain === null) return plain;
  return Object.fromEntries(Object.entries(plain).map(([key, inner]) => [storable(key), storableJson(inner)]));
}

/**
 * The same id for the same text and time, always, so that a run that was killed and one that was not end alike. It
 * has the form of a UUID of version 7 (RFC 9562, 5.7): rows that were written one after the other lie side by side.
 */
export function namedId(at: Date | null, ...parts: string[]): string {
  const time = Math.max(at?.getTime() ?? 0, 0)
    .toString(16)
    .padStart(12, '0');
  const hex = hash('md5', parts.join('\u001f'));
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(0, 3)}-8${hex.slice(3, 6)}-${hex.slice(6, 18)}`;
}

/** Sixty bits of what a message says. The database computes the same from what it has stored; see verifying.ts. */
export function fingerprint(...parts: (string | number | null)[]): string {
  return BigInt(`0x${hash('md5', parts.map((part) => part ?? '').join('\u001f')).slice(0, 15)}`).toString();
}
