import { jest } from '@jest/globals';
import { checked } from '../platform/http/validation.js';
import { RegisterBody } from './auth.dto.js';

describe('what is checked of somebody who registers', () => {
  const right = { username: 'ada', email: 'ada@example.org', password: 'correct horse battery' };
  /** Each accent below the letter is moved before all that stand above it: that grows with the square of them. */
  const accents = `a${'\u0301'.repeat(5_000)}${'\u0323'.repeat(5_000)}`;

  it.each(['username', 'password'])('a %s as long as a body may be does not hold the node up', (field) => {
    const normalized = jest.spyOn(String.prototype, 'normalize');
    try {
      expect(() => checked(RegisterBody, { ...right, [field]: accents })).toThrow();
      expect(Math.max(0, ...normalized.mock.contexts.map((text) => String(text).length))).toBeLessThan(1000);
    } finally {
      normalized.mockRestore();
    }
  });

  it.each([
    ['username', 'ＥＶＥＲＹＯＮＥ'],
    ['password', 'ＰＡＳＳＷＯＲＤ'],
  ])('a %s that is refused is found in whatever form it is written', (field, value) => {
    expect(() => checked(RegisterBody, { ...right, [field]: value })).toThrow();
  });
});
