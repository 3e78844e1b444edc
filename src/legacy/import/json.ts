import { MendedText } from './values.js';

/** JSON as text or as it is; anything that is no JSON stays what it is. */
export function parsedOr(value: unknown): unknown {
  const text = value instanceof MendedText ? value.text : value;
  if (typeof text !== 'string') return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
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
