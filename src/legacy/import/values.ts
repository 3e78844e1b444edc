import { createHash } from 'node:crypto';

/** Seconds up to the year 2286; anything above is milliseconds. */
const LAST_SECOND = 10_000_000_000;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|[+-]\d\d(?::?\d\d)?)?)?$/;

export class UnreadableValue extends Error {}

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
  if (/^-?\d+(\.\d+)?$/.test(text) && text.length > 8) return scaled(Number(text));
  const [, day, clock = '00:00', zone = 'Z'] = ISO.exec(text) ?? [];
  if (!day) return Number.NaN;
  const offset = /^[+-]\d\d$/.test(zone) ? `${zone}:00` : zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2');
  const time = Date.parse(`${day}T${clock.replace(/(\.\d{3})\d+$/, '$1')}${offset}`);
  return new Date(time).toISOString().startsWith(day) || zone !== 'Z' ? time : Number.NaN;
}

function scaled(value: number): number {
  return Math.abs(value) > LAST_SECOND ? Math.round(value) : Math.round(value * 1000);
}

/** The text of an id, whatever type it has there. */
export function readId(value: unknown): string | null {
  if (typeof value === 'string') return value.trim() === '' ? null : storable(value.trim());
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'object' && value !== null && 'toHexString' in value) {
    return (value as { toHexString(): string }).toHexString();
  }
  return null;
}

export function mustHaveId(value: unknown, name: string): string {
  const id = readId(value);
  if (id === null) throw new UnreadableValue(`no ${name}`);
  return id;
}

export function readText(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

export function mustBeText(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new UnreadableValue(`${name} is ${value == null ? 'missing' : 'not a text'}`);
  return value;
}

export function readTokens(value: unknown): number | null {
  const number = typeof value === 'bigint' ? Number(value) : value;
  return Number.isInteger(number) && (number as number) >= 0 && (number as number) < 2 ** 31
    ? (number as number)
    : null;
}

/** What PostgreSQL cannot hold is shown by its stand-in: U+2400 for NUL, U+FFFD for half a character. */
export function storable(text: string): string {
  const whole = text.includes('\u0000') ? text.replaceAll('\u0000', '\u2400') : text;
  return whole.replace(LONE_SURROGATE, '\ufffd');
}

/** Text in metadata, and its keys, made storable all the way down. */
export function storableJson(value: unknown): unknown {
  const text = JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner));
  return text === undefined
    ? null
    : JSON.parse(storable(text.replace(/(?<!\\)((?:\\\\)*)\\u0000/g, '$1\u2400')), revive);
}

function revive(_: string, value: unknown): unknown {
  return typeof value === 'string' ? storable(value) : value;
}

/** The same id for the same text, always: a run that was killed and one that was not end alike. A UUID of version 8. */
export function namedId(...parts: string[]): string {
  const hex = createHash('md5').update(parts.join('\u001f')).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** Sixty bits of what a message says. The database computes the same from what it has stored; see verify.ts. */
export function fingerprint(role: string, content: string, tokens: number | null, at: Date | null): string {
  const text = [role, at === null ? '' : String(at.getTime()), tokens ?? '', content].join('\u001f');
  return BigInt(`0x${createHash('md5').update(text).digest('hex').slice(0, 15)}`).toString();
}
