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
