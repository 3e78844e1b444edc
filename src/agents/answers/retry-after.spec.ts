import { retryAfter } from './retry-after.js';

const NOW = Date.parse('2026-11-21T16:00:00.000Z');
const said = (headers: Record<string, string>) => retryAfter(headers, NOW);

describe('how long a service wants to be left alone', () => {
  it.each([
    ['0', 0],
    ['7', 7_000],
    [' 7 ', 7_000],
    ['1.5', 1_500],
    ['86400', 86_400_000],
    ['Sat, 21 Nov 2026 16:00:09 GMT', 9_000],
    ['Sat, 21 Nov 2026 15:59:00 GMT', 0],
  ])('is read from Retry-After: %s', (text, ms) => expect(said({ 'retry-after': text })).toBe(ms));

  it.each(['', '-5', 'soon', '1e9', '0x10', 'Infinity', '9'.repeat(30), '2026-11-21', 'Sat, 99 Nov 2026 16:00:09 GMT'])(
    'is nothing where Retry-After is "%s"',
    (text) => expect(said({ 'retry-after': text })).toBe(0),
  );

  it('is read more exactly where that is there too', () => {
    expect(said({ 'retry-after-ms': '250', 'retry-after': '1' })).toBe(250);
    expect(said({ 'retry-after-ms': 'x', 'retry-after': '1' })).toBe(1_000);
    expect(said({})).toBe(0);
  });
});
