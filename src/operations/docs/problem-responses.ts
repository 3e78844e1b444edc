import { STATUS_CODES } from 'node:http';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { Content, Operation, Response, Schema } from './openapi-types.js';

/** How every failure looks (RFC 9457). */
const PROBLEM: Schema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string', example: 'about:blank' },
    title: { type: 'string', description: 'The name of the status.', example: 'Bad Request' },
    status: { type: 'integer', example: 400 },
    detail: {
      type: 'string',
      description: 'For people; its wording may change.',
      example: 'content must not be empty',
    },
    code: { type: 'string', description: 'For programs; it stays.', example: 'validation_failed' },
    requestId: { type: 'string', description: 'Also in X-Request-Id and in the log.', example: 'f2a1c0de' },
    errors: {
      type: 'array',
      description: 'Each wrong field by name.',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: {
          path: { type: 'string', description: 'Where, as a dotted path.', example: 'content' },
          message: { type: 'string', example: 'must not be empty' },
        },
      },
    },
  },
};

interface Refusal {
  status: number;
  name: string;
  description: string;
  code: string;
  detail: string;
  /** Which operations can answer so. */
  of: (operation: Operation, path: string) => boolean;
}

const isSecured = ({ security }: Operation) => (security ?? []).length > 0;
const takesInput = ({ parameters, requestBody }: Operation) =>
  (parameters ?? []).length > 0 || requestBody !== undefined;

const REFUSALS: Refusal[] = [
  {
    status: 400,
    name: 'BadRequest',
    description: 'Something in it is wrong; `errors` names each field.',
    code: 'validation_failed',
    detail: 'content must not be empty',
    // Also where nothing is expected: a body is read and judged before that is known.
    of: (operation) => takesInput(operation) || isSecured(operation),
  },
  {
    status: 401,
    name: 'Unauthorized',
    description: 'No access token, or one that is bad, expired or revoked.',
    code: 'unauthorized',
    detail: 'A valid access token is needed.',
    of: isSecured,
  },
  {
    status: 403,
    name: 'Forbidden',
    description: 'The caller may see it but not do this, or lacks a second factor that is demanded.',
    code: 'forbidden',
    detail: 'You may not do this here.',
    of: isSecured,
  },
  {
    status: 404,
    name: 'NotFound',
    description: 'It does not exist, or the caller may not see it: both look the same.',
    code: 'not_found',
    detail: 'This conversation does not exist.',
    of: (_, path) => path.includes('{') || path.includes('/admin/'),
  },
  {
    status: 413,
    name: 'PayloadTooLarge',
    description: 'The body is too large.',
    code: 'payload_too_large',
    detail: 'The body is over 1 MiB.',
    of: ({ requestBody }) => requestBody !== undefined,
  },
  {
    status: 429,
    name: 'TooManyRequests',
    description: 'Too many calls or tries; `Retry-After` says how many seconds to wait.',
    code: 'rate_limited',
    detail: 'Too many tries. Wait and try again.',
    of: () => true,
  },
  {
    status: 500,
    name: 'InternalError',
    description: 'Our fault; the log knows more by `requestId`.',
    code: 'internal',
    detail: 'Something went wrong on our side.',
    of: () => true,
  },
  {
    status: 503,
    name: 'Unavailable',
    description: 'Not right now: the database does not answer, or too much waits. Try again; a send keeps its nonce.',
    code: 'unavailable',
    detail: 'The service cannot do this right now. Try again shortly.',
    of: () => true,
  },
];

const TITLES: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  413: 'Payload Too Large',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** Gives each operation the refusals it can answer, and each refusal that an operation names itself its body. */
export function describeProblems(document: OpenAPIObject): void {
  const components = (document.components ??= {});
  components.schemas = { ...components.schemas, Problem: PROBLEM };
  components.responses = Object.fromEntries(REFUSALS.map((refusal) => [refusal.name, component(refusal)]));
}

export function describeRefusals(operation: Operation, path: string): void {
  const { responses } = operation;
  for (const [status, response] of Object.entries(responses)) {
    if (Number(status) >= 400 && response && !('$ref' in response)) response.content ??= problemBody();
  }
  for (const { status, name, of } of REFUSALS) {
    const isGeneral = status === 401 || responses[status] === undefined;
    if (isGeneral && of(operation, path)) responses[status] = { $ref: `#/components/responses/${name}` };
  }
  if (operation.tags?.some((tag) => tag.startsWith('legacy: '))) describeOldShapes(responses);
}

/** The old systems had shapes of their own: docs/legacy-clients.md tells them. */
function describeOldShapes(responses: Operation['responses']): void {
  for (const status of Object.keys(responses).filter((each) => Number(each) >= 400)) {
    const description = `${STATUS_CODES[status] ?? 'Error'}, in the shape that the old system gave its errors.`;
    responses[status] = { description, content: { 'application/json': { schema: { type: 'object' } } } };
  }
}

function component({ status, description, code, detail }: Refusal): Response {
  const errors = status === 400 ? { errors: [{ path: 'content', message: 'must not be empty' }] } : {};
  const example = {
    type: 'about:blank',
    title: TITLES[status],
    status,
    detail,
    code,
    requestId: 'f2a1c0de',
    ...errors,
  };
  const seconds = { schema: { type: 'integer' as const }, description: 'Seconds to wait.' };
  return {
    description,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' }, example } },
    ...(status === 429 && { headers: { 'Retry-After': seconds } }),
  };
}

function problemBody(): Content {
  return { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
}
