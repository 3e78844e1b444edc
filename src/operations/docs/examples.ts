import type { OpenAPIObject } from '@nestjs/swagger';
import type { Reference, Schema } from './openapi-types.js';

/** Deeper than any answer is: a schema that holds itself ends here. */
const MAX_DEPTH = 16;

const BY_FORMAT: Record<string, string> = {
  uuid: '01997c1e-8d3a-7c35-9f0e-3a4b5c6d7e8f',
  'date-time': '2026-03-14T09:26:53.589Z',
  email: 'ada@example.org',
  uri: 'https://example.org/picture.png',
};

/** What the field's own words do not say of themselves. */
const BY_NAME: Record<string, unknown> = {
  accessToken: 'eyJhbGciOiJIUzI1NiJ9.e30.signature',
  avatarUrl: 'https://example.org/ada.png',
  code: '492039',
  content: 'Hello, Bob',
  currentPassword: 'correct horse battery',
  cursor: 'WyIwMTk5N2MxZSJd',
  description: 'Answers questions about engines.',
  detail: 'Hello, Bob',
  displayName: 'Ada Lovelace',
  email: 'ada@example.org',
  iconUrl: 'https://example.org/icon.png',
  key: 'sk-not-a-real-key',
  login: 'ada',
  name: 'general',
  newPassword: 'another horse battery',
  nextCursor: null,
  nonce: '5f2c9e1a',
  password: 'correct horse battery',
  refreshToken: 'ZmFtaWx5.c2VjcmV0',
  slug: 'echo',
  title: 'Engines',
  topic: 'Engines, and what to feed them',
  username: 'ada',
};

/** Where the parts would not fit together: a session has an agent or an advocate. */
const BY_SCHEMA: Record<string, unknown> = {
  SessionBody: { type: 'agent', title: 'Engines', agentId: BY_FORMAT.uuid },
};

/** Gives an example that fits the schema, put together from the examples of its parts. */
export function exampleOf(schema: Schema | Reference, document: OpenAPIObject, name = '', depth = 0): unknown {
  if (depth > MAX_DEPTH) return null;
  if ('$ref' in schema) {
    const key = schema.$ref.split('/').at(-1) ?? '';
    if (key in BY_SCHEMA) return BY_SCHEMA[key];
    const target = document.components?.schemas?.[key];
    return target ? exampleOf(target, document, name, depth + 1) : null;
  }
  if (schema.example !== undefined) return schema.example;
  if (schema.default !== undefined) return schema.default;
  const [part] = schema.allOf ?? schema.oneOf ?? schema.anyOf ?? [];
  if (part) return exampleOf(part, document, name, depth + 1);
  if (schema.enum) return schema.enum[0];
  if (schema.nullable && !(name in BY_NAME)) return null;
  return plain(schema, document, name, depth);
}

function plain(schema: Schema, document: OpenAPIObject, name: string, depth: number): unknown {
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([key, property]) => [
          key,
          exampleOf(property, document, key, depth + 1),
        ]),
      );
    case 'array':
      return schema.items ? [exampleOf(schema.items, document, name, depth + 1)] : [];
    case 'boolean':
      return false;
    case 'integer':
    case 'number':
      return Math.max(1, schema.minimum ?? 1);
    default:
      return name in BY_NAME ? BY_NAME[name] : (BY_FORMAT[schema.format ?? ''] ?? 'text');
  }
}
