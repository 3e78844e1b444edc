import type { OpenAPIObject } from '@nestjs/swagger';
import type { Content, Operation, Parameter, Reference, Response } from './openapi-types.js';
import { type Direction, schemaBreaks, type Versions } from './schema-changes.js';

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

/**
 * Names everything that would break a client which was written for the document before: what is gone, what is asked
 * for anew, what has another form. What was added is no break, as clients ignore what they do not know.
 */
export function breakingChanges(before: OpenAPIObject, after: OpenAPIObject): string[] {
  const versions = { before, after };
  return Object.entries(before.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const old = item[method];
      if (!old) return [];
      const now = after.paths[path]?.[method];
      const at = `${method.toUpperCase()} ${path}`;
      return now ? operationBreaks(old, now, versions, at) : [`${at}: is gone`];
    }),
  );
}

function operationBreaks(old: Operation, now: Operation, versions: Versions, at: string): string[] {
  return [
    ...(old.operationId === now.operationId ? [] : [`${at}: is called ${now.operationId}, was ${old.operationId}`]),
    ...((old.security ?? []).length === 0 && (now.security ?? []).length > 0 ? [`${at}: needs signing in now`] : []),
    ...parameterBreaks(old, now, versions, at),
    ...bodyBreaks(old, now, versions, at),
    ...answerBreaks(old, now, versions, at),
  ];
}

function parameterBreaks(old: Operation, now: Operation, versions: Versions, at: string): string[] {
  const before = parametersOf(old);
  const after = parametersOf(now);
  const gone = [...before.keys()].filter((key) => !after.has(key)).map((key) => `${at}: the parameter ${key} is gone`);
  const rest = [...after].flatMap(([key, parameter]) => {
    const earlier = before.get(key);
    if (!earlier?.required && parameter.required) return [`${at}: the parameter ${key} is required now`];
    return schemaBreaks([earlier?.schema, parameter.schema], versions, 'in', `${at} ${key}`);
  });
  return [...gone, ...rest];
}

function bodyBreaks(old: Operation, now: Operation, versions: Versions, at: string): string[] {
  const before = plain(old.requestBody);
  const after = plain(now.requestBody);
  if (before && !after) return [`${at}: takes no body any more`];
  if (!before && after?.required) return [`${at}: needs a body now`];
  return contentBreaks(before?.content, after?.content, versions, 'in', `${at} body`);
}

function answerBreaks(old: Operation, now: Operation, versions: Versions, at: string): string[] {
  return Object.entries(old.responses)
    .filter(([status]) => status.startsWith('2'))
    .flatMap(([status, response]) => {
      const successor = now.responses[status];
      if (!successor) return [`${at}: answers ${status} no more`];
      const [before, after] = [plain(response as Response | Reference), plain(successor)];
      return contentBreaks(before?.content, after?.content, versions, 'out', `${at} ${status}`);
    });
}

function contentBreaks(
  before: Content | undefined,
  after: Content | undefined,
  versions: Versions,
  direction: Direction,
  at: string,
): string[] {
  return Object.entries(before ?? {}).flatMap(([type, media]) => {
    const successor = after?.[type];
    if (!successor) return [`${at}: ${type} is gone`];
    return schemaBreaks([media.schema, successor.schema], versions, direction, at);
  });
}

function parametersOf({ parameters }: Operation): Map<string, Parameter> {
  const own = (parameters ?? []).filter((parameter): parameter is Parameter => !('$ref' in parameter));
  return new Map(own.map((parameter) => [`${parameter.in} ${parameter.name}`, parameter]));
}

function plain<T extends object>(value: T | Reference | undefined): T | undefined {
  return value && '$ref' in value ? undefined : value;
}
