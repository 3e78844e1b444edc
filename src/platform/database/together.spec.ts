import { jest } from '@jest/globals';
import { together } from './together.js';

describe('reading together', () => {
  it('reads once what is asked for in one turn, each key once, and gives each its own', async () => {
    const reads: (readonly string[])[] = [];
    const ask = together((keys) => {
      reads.push(keys);
      return Promise.resolve(new Map(keys.filter((key) => key !== 'nobody').map((key) => [key, `of ${key}`])));
    });
    expect(await Promise.all(['ada', 'bob', 'ada', 'nobody'].map(ask))).toEqual([
      'of ada',
      'of bob',
      'of ada',
      undefined,
    ]);
    expect(reads).toEqual([['ada', 'bob', 'nobody']]);
  });

  it('gathers for a moment what is asked for after a read began', async () => {
    jest.useFakeTimers();
    try {
      const { ask, reads } = noting();
      const answers = [ask('ada')];
      await jest.advanceTimersByTimeAsync(1);
      answers.push(ask('bob'));
      await jest.advanceTimersByTimeAsync(5);
      answers.push(ask('eve'));
      expect(reads).toEqual([['ada']]);
      await jest.advanceTimersByTimeAsync(5);
      expect(await Promise.all(answers)).toEqual(['ada', 'bob', 'eve']);
      expect(reads).toEqual([['ada'], ['bob', 'eve']]);
    } finally {
      jest.useRealTimers();
    }
  });

  it('gives one read no more keys than it takes', async () => {
    const { ask, reads } = noting(2);
    expect(await Promise.all(['ada', 'bob', 'eve'].map(ask))).toEqual(['ada', 'bob', 'eve']);
    expect(reads).toEqual([['ada', 'bob'], ['eve']]);
  });

  it('remembers nothing, and tells everybody who asked what failed', async () => {
    let fails = true;
    const ask = together((keys) =>
      fails ? Promise.reject(new Error('away')) : Promise.resolve(new Map(keys.map((key) => [key, 1]))),
    );
    const refused = await Promise.allSettled(['ada', 'bob'].map(ask));
    expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    fails = false;
    expect(await ask('ada')).toBe(1);
  });
});

/** Finds whatever is asked for, and notes with which keys it was read. */
function noting(most?: number) {
  const reads: (readonly string[])[] = [];
  const ask = together((keys) => {
    reads.push(keys);
    return Promise.resolve(new Map(keys.map((key) => [key, key])));
  }, most);
  return { ask, reads };
}
