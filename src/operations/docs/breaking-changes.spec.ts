import type { OpenAPIObject } from '@nestjs/swagger';
import { breakingChanges } from './breaking-changes.js';

const message = {
  type: 'object',
  required: ['id', 'content'],
  properties: {
    id: { type: 'string' },
    content: { type: 'string', nullable: true },
    reply: { $ref: '#/components/schemas/Message' },
    role: { type: 'string', enum: ['user', 'agent'] },
  },
};
const draft = {
  type: 'object',
  required: ['content'],
  properties: {
    content: { type: 'string', maxLength: 20_000 },
    nonce: { type: 'string' },
    kind: { type: 'string', enum: ['text', 'note'] },
    at: { type: 'number' },
  },
};
const before = {
  openapi: '3.0.0',
  info: { title: 'Parley', version: '1.0.0' },
  paths: {
    '/messages': {
      post: {
        operationId: 'messages_send',
        security: [],
        parameters: [{ name: 'limit', in: 'query', schema: { type: 'number', maximum: 100 } }],
        requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Draft' } } } },
        responses: {
          '200': { description: 'repeated' },
          '201': {
            description: 'stored',
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Message' } } },
          },
        },
      },
      get: { operationId: 'messages_list', responses: {} },
    },
  },
  components: { schemas: { Message: message, Draft: draft } },
};
const at = 'POST /messages';

/** What is said of the document after `change` has been made to a copy of it. */
function after(change: (document: any) => void): string[] {
  const copy: any = structuredClone(before);
  change(copy);
  return breakingChanges(before as unknown as OpenAPIObject, copy as OpenAPIObject);
}

describe('breaking changes', () => {
  const schemas = (document: any) => document.components.schemas;
  const send = (document: any) => document.paths['/messages'].post;

  it('are none in what is the same, though its schemas hold themselves', () => {
    expect(after(() => undefined)).toEqual([]);
  });

  it.each<[string, (document: any) => void]>([
    ['a call', (d) => (d.paths['/other'] = { get: { operationId: 'other', responses: {} } })],
    ['a parameter that may be left out', (d) => send(d).parameters.push({ name: 'q', in: 'query', schema: {} })],
    ['a field of an answer', (d) => (schemas(d).Message.properties.more = { type: 'string' })],
    ['a field of a body that may be left out', (d) => (schemas(d).Draft.properties.more = { type: 'string' })],
    ['a choice', (d) => schemas(d).Draft.properties.kind.enum.push('poll')],
    ['a wider limit', (d) => (schemas(d).Draft.properties.content.maxLength = 40_000)],
    ['an integer in an answer', (d) => (schemas(d).Message.properties.seq = { type: 'integer' })],
  ])('are not: %s that is added', (_, change) => {
    expect(after(change)).toEqual([]);
  });

  it.each<[string, (document: any) => void]>([
    [`GET /messages: is gone`, (d) => delete d.paths['/messages'].get],
    [`${at}: is called send, was messages_send`, (d) => (send(d).operationId = 'send')],
    [`${at}: needs signing in now`, (d) => (send(d).security = [{ bearer: [] }])],
    [`${at}: the parameter query limit is gone`, (d) => send(d).parameters.pop()],
    [`${at}: the parameter query limit is required now`, (d) => (send(d).parameters[0].required = true)],
    [`${at} query limit: maximum is 50 now`, (d) => (send(d).parameters[0].schema.maximum = 50)],
    [`${at}: takes no body any more`, (d) => delete send(d).requestBody],
    [`${at} body.nonce: is gone`, (d) => delete schemas(d).Draft.properties.nonce],
    [`${at} body.nonce: is required now`, (d) => schemas(d).Draft.required.push('nonce')],
    [`${at} body.content: maxLength is 10 now`, (d) => (schemas(d).Draft.properties.content.maxLength = 10)],
    [`${at} body.kind: takes note no more`, (d) => (schemas(d).Draft.properties.kind.enum = ['text'])],
    [`${at} body.at: was number, is integer`, (d) => (schemas(d).Draft.properties.at.type = 'integer')],
    [`${at}: answers 200 no more`, (d) => delete send(d).responses['200']],
    [`${at} 201: application/json is gone`, (d) => (send(d).responses['201'].content = { 'text/plain': {} })],
    [`${at} 201.content: is gone`, (d) => delete schemas(d).Message.properties.content],
    [`${at} 201.id: may be null now`, (d) => (schemas(d).Message.properties.id.nullable = true)],
    [`${at} 201.id: may be missing now`, (d) => (schemas(d).Message.required = ['content'])],
    [`${at} 201.id: was string, is number`, (d) => (schemas(d).Message.properties.id.type = 'number')],
  ])('are named: %s', (name, change) => {
    expect(after(change)).toContain(name);
  });
});
