import { jest } from '@jest/globals';
import { fragmentsOf } from './fragments.js';
import { readTerms } from './search-terms.js';

const found = (content: string, query: string) =>
  fragmentsOf(content, readTerms(query)).map(({ text, marks }) => [
    text,
    ...marks.map(([start, end]) => text.slice(start, end)),
  ]);

describe('the fragments of a message', () => {
  it('mark what was looked for, in any case, and leave the text as it is', () => {
    expect(found('Hello <b>World</b>', 'world hello')).toEqual([['Hello <b>World</b>', 'Hello', 'World']]);
    expect(found('İstanbul and ÜBER', 'über')).toEqual([['İstanbul and ÜBER', 'ÜBER']]);
    expect(found('我们讨论全文搜索', '全文')).toEqual([['我们讨论全文搜索', '全文']]);
    expect(found('a.b (c) [d] a+b', '[d] a+b (c)')).toEqual([['a.b (c) [d] a+b', '(c)', '[d]', 'a+b']]);
  });

  it('mark a phrase as one where it stands, and else its words', () => {
    expect(found('one two, two: one', '"one two"')).toEqual([['one two, two: one', 'one two', 'two', 'one']]);
  });

  it('are up to three pieces of a long text, each around what was found', () => {
    const far = 'x'.repeat(1000);
    const fragments = found(`${far} needle ${far} needle ${far} needle ${far} needle`, 'needle');
    expect(fragments.map(([, ...marks]) => marks)).toEqual([['needle'], ['needle'], ['needle']]);
    expect(fragments.every(([text]) => text!.length < 400)).toBe(true);
  });

  it('never cut a character in half', () => {
    for (let offset = 0; offset < 4; offset += 1) {
      const text = `${'a'.repeat(offset)}${'🎈'.repeat(100)}needle${'🎉'.repeat(100)}`;
      for (const [piece] of found(text, 'needle'))
        expect((piece as unknown as { isWellFormed(): boolean }).isWellFormed()).toBe(true);
    }
  });

  it('stay small whatever is looked for', () => {
    for (const query of ['a', 'aa', 'a'.repeat(250)]) {
      const fragments = fragmentsOf('a'.repeat(20_000), readTerms(query));
      expect(JSON.stringify(fragments).length).toBeLessThan(8000);
    }
  });

  it('are looked for no further than they reach', () => {
    const groups = readTerms('a');
    const exec = jest.spyOn(RegExp.prototype, 'exec');
    try {
      expect(fragmentsOf('a'.repeat(20_000), groups)).toHaveLength(3);
      expect(exec.mock.calls.length).toBeLessThan(1000);
    } finally {
      exec.mockRestore();
    }
  });

  it('show the beginning where only the words match and not the letters', () => {
    expect(found('nothing here', 'absent')).toEqual([['nothing here']]);
  });
});
