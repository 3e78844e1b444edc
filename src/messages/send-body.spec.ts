import type { FieldError, Problem } from '../platform/http/problem.js';
import { checked } from '../platform/http/validation.js';
import { SendBody } from './messages.dto.js';

describe('what is checked of a body before its fields are', () => {
  const wrongIn = (body: object): FieldError[] | undefined => {
    try {
      checked(SendBody, body);
      return undefined;
    } catch (error) {
      return (error as Problem).errors;
    }
  };
  const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [n.toString(36), 1]));

  it('no object has so many fields that to compare their names with each other holds the node up', () => {
    const message = 'has more than 3000 fields';
    expect(wrongIn({ content: 'x', ...fields(10_000) })).toEqual([{ path: '', message }]);
    expect(wrongIn({ content: 'x', metadata: fields(10_000) })).toEqual([{ path: 'metadata', message }]);
    expect(wrongIn({ content: 'x', unknown: [fields(10_000)] })).toEqual([{ path: 'unknown.0', message }]);
  });

  it('as many fields as fit into the metadata are taken', () => {
    expect(wrongIn({ content: 'x', metadata: fields(2000) })).toBeUndefined();
  });
});
