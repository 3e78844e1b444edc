import type { OpenAPIObject } from '@nestjs/swagger';
import { STATUS_CODES } from 'node:http';
import { exampleOf } from './examples.js';
import type { Content, Operation, Parameter, Reference, Response, Schema } from './openapi-types.js';
import { describeProblems, describeRefusals } from './problem-responses.js';

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

/**
 * Says of every operation what all have in common, so that no controller has to: how it is refused, that it is open
 * where it is, what its ids look like, and an example of what goes in and comes out.
 */
export function finishDocument(document: OpenAPIObject): OpenAPIObject {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation) finishOperation(operation, path, document);
    }
  }
  for (const schema of Object.values(document.components?.schemas ?? {})) finishSchema(schema);
  describeProblems(document);
  return document;
}

function finishOperation(operation: Operation, path: string, document: OpenAPIObject): void {
  operation.security ??= [];
  // OpenAPI 3.0.3: a header of this name is said by `security`, and ignored here.
  operation.parameters = operation.parameters?.filter((each) => !('name' in each) || each.name !== 'authorization');
  for (const parameter of operation.parameters ?? []) if ('in' in parameter) finishParameter(parameter);
  if (operation.requestBody && 'content' in operation.requestBody) {
    showExamples(operation.requestBody.content, document);
  }
  for (const [status, response] of Object.entries(operation.responses)) {
    if (response && !('$ref' in response)) finishResponse(response, status, document);
  }
  describeRefusals(operation, path);
}

/** Every path parameter that is called an id is checked to be one. */
function finishParameter(parameter: Parameter): void {
  const isId = parameter.in === 'path' && /(^id|Id)$/.test(parameter.name);
  if (isId && parameter.schema && !('$ref' in parameter.schema)) parameter.schema.format ??= 'uuid';
}

function finishResponse(response: Response, status: string, document: OpenAPIObject): void {
  response.description ||= STATUS_CODES[status] ?? 'Answer';
  if (response.content && status.startsWith('2')) showExamples(response.content, document);
}

/** Says what readers of schemas do not take as said. */
function finishSchema(schema: Schema | Reference): void {
  if ('$ref' in schema) return;
  const isComposed = (schema.oneOf ?? schema.allOf ?? schema.anyOf) !== undefined;
  // OpenAPI 3.0.3: nullable counts only beside a type.
  if (isComposed && schema.nullable) schema.type ??= 'object';
  // An object that names no field may have any; generators take it for one that has none.
  if (schema.type === 'object' && !isComposed && !schema.properties) schema.additionalProperties ??= true;
  if (schema.items) finishSchema(schema.items);
  Object.values(schema.properties ?? {}).forEach(finishSchema);
}

function showExamples(content: Content, document: OpenAPIObject): void {
  for (const [type, media] of Object.entries(content)) {
    const isShown = media.example !== undefined || media.examples !== undefined;
    if (type === 'application/json' && media.schema && !isShown) media.example = exampleOf(media.schema, document);
  }
}
