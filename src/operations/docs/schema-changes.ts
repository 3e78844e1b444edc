import type { OpenAPIObject } from '@nestjs/swagger';
import type { Reference, Schema } from './openapi-types.js';

export type AnySchema = Schema | Reference | undefined;

/** Which way what the schema describes goes: what is harmless in one direction breaks the other. */
export type Direction = 'in' | 'out';

export interface Versions {
  before: OpenAPIObject;
  after: OpenAPIObject;
}

const UPPER = ['maximum', 'maxLength', 'maxItems'] as const;
const LOWER = ['minimum', 'minLength', 'minItems'] as const;

/** Names what of a schema would break a client that was written for the one before. */
export function schemaBreaks(
  [before, after]: [AnySchema, AnySchema],
  versions: Versions,
  direction: Direction,
  at: string,
  seen = new Set<string>(),
): string[] {
  const pair = `${refOf(before)} ${refOf(after)}`;
  if (pair !== ' ') {
    if (seen.has(pair)) return [];
    seen = new Set(seen).add(pair);
  }
  const old = resolve(before, versions.before);
  const now = resolve(after, versions.after);
  if (!old || !now) return old && !now ? [`${at}: its form is not said any more`] : [];
  const deeper = (schemas: [AnySchema, AnySchema], where: string) =>
    schemaBreaks(schemas, versions, direction, where, seen);
  return [
    ...typeBreaks(old, now, direction, at),
    ...enumBreaks(old, now, direction, at),
    ...(direction === 'in' ? limitBreaks(old, now, at) : []),
    ...propertyBreaks(old, now, direction, at, deeper),
    ...(old.items && now.items ? deeper([old.items, now.items], `${at}[]`) : []),
  ];
}

function typeBreaks(old: Schema, now: Schema, direction: Direction, at: string): string[] {
  const breaks: string[] = [];
  if (old.type && now.type && old.type !== now.type && !isNarrowerOut(old, now, direction)) {
    breaks.push(`${at}: was ${String(old.type)}, is ${String(now.type)}`);
  }
  if (direction === 'out' && !old.nullable && now.nullable) breaks.push(`${at}: may be null now`);
  if (direction === 'in' && old.nullable && !now.nullable) breaks.push(`${at}: may not be null any more`);
  return breaks;
}

/** Every integer is a number: who reads numbers can read it, and who may send numbers may send integers. */
function isNarrowerOut(old: Schema, now: Schema, direction: Direction): boolean {
  const [wide, narrow] = direction === 'out' ? [old.type, now.type] : [now.type, old.type];
  return wide === 'number' && narrow === 'integer';
}

function enumBreaks(old: Schema, now: Schema, direction: Direction, at: string): string[] {
  if (direction === 'out' || !now.enum) return [];
  const gone = (old.enum ?? []).filter((value) => !now.enum?.includes(value));
  if (!old.enum) return [`${at}: takes only ${now.enum.join(', ')} now`];
  return gone.length > 0 ? [`${at}: takes ${gone.join(', ')} no more`] : [];
}

function limitBreaks(old: Schema, now: Schema, at: string): string[] {
  const tightened = [
    ...UPPER.filter((limit) => (now[limit] ?? Infinity) < (old[limit] ?? Infinity)),
    ...LOWER.filter((limit) => (now[limit] ?? -Infinity) > (old[limit] ?? -Infinity)),
  ];
  return tightened.map((limit) => `${at}: ${limit} is ${now[limit]} now`);
}

function propertyBreaks(
  old: Schema,
  now: Schema,
  direction: Direction,
  at: string,
  deeper: (schemas: [AnySchema, AnySchema], where: string) => string[],
): string[] {
  const known = Object.entries(old.properties ?? {}).flatMap(([name, schema]) => {
    const successor = now.properties?.[name];
    // Unknown fields are refused, so one that is gone breaks who sends it too.
    if (!successor) return [`${at}.${name}: is gone`];
    return deeper([schema, successor], `${at}.${name}`);
  });
  const wasRequired = new Set(old.required ?? []);
  const isRequired = new Set(now.required ?? []);
  const changed =
    direction === 'in'
      ? [...isRequired].filter((name) => !wasRequired.has(name)).map((name) => `${at}.${name}: is required now`)
      : [...wasRequired]
          .filter((name) => !isRequired.has(name) && now.properties?.[name])
          .map((name) => `${at}.${name}: may be missing now`);
  return [...known, ...changed];
}

function refOf(schema: AnySchema): string {
  return schema && '$ref' in schema ? schema.$ref : '';
}

function resolve(schema: AnySchema, document: OpenAPIObject): Schema | undefined {
  if (!schema || !('$ref' in schema)) return schema;
  const target = document.components?.schemas?.[schema.$ref.split('/').at(-1) ?? ''];
  return target && '$ref' in target ? undefined : target;
}
