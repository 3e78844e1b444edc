import { fitsIndex, MendedText, storable } from './values.js';

/** Nothing that people made is deeper, and neither PostgreSQL nor a walk through it takes any depth. */
export const MAX_DEPTH = 500;

/** JSON as text or as it is; anything that is no JSON, or nested too deeply, stays what it is. */
export function parsedOr(value: unknown): unknown {
  const text = value instanceof MendedText ? value.text : value;
  if (typeof text !== 'string') return text;
  try {
    const json = JSON.parse(text) as unknown;
    return isTooDeep(json) ? text : json;
  } catch {
    return text;
  }
}

export function isTooDeep(value: unknown, left = MAX_DEPTH): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (left === 0) return true;
  return Object.values(value).some((inner) => isTooDeep(inner, left - 1));
}

export function parsed(value: unknown): Record<string, unknown> {
  return objectOf(parsedOr(value));
}

export function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** An id that stands deeper than its row, in the words of `Row.id`; nothing where that would refuse it. */
export function idIn(value: unknown): string | null {
  const id = typeof value === 'string' ? storable(value.trim()) : '';
  return id !== '' && fitsIndex(id) ? id : null;
}
