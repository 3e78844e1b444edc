import { canBeLookedUp, holding, pairsOf, piecesOf, readTerms } from './search-terms.js';

const term = (text: string, phrase = false) => ({ text, phrase });

describe('a query', () => {
  it.each([
    ['Hello World', [{ wanted: [term('hello'), term('world')], unwanted: [] }]],
    ['"Hello  World"', [{ wanted: [term('hello  world', true)], unwanted: [] }]],
    ['"one"', [{ wanted: [term('one')], unwanted: [] }]],
    ['a -b -"c d"', [{ wanted: [term('a')], unwanted: ['b', 'c d'] }]],
    [
      'a b or c',
      [
        { wanted: [term('a'), term('b')], unwanted: [] },
        { wanted: [term('c')], unwanted: [] },
      ],
    ],
    ['or or a or', [{ wanted: [term('a')], unwanted: [] }]],
    ['"or"', [{ wanted: [term('or')], unwanted: [] }]],
    ['well-known - c++', [{ wanted: [term('well-known'), term('c++')], unwanted: [] }]],
    ['"never closed', [{ wanted: [term('never closed', true)], unwanted: [] }]],
  ])('%s is read as websearch_to_tsquery reads it', (query, expected) => {
    expect(readTerms(query)).toEqual(expected);
  });

  it.each(['', '  ', '"', '""', '-', 'or', '-a', 'a or -b', 'x '.repeat(21)])('that is %j is refused', (query) => {
    expect(() => readTerms(query)).toThrow(expect.objectContaining({ status: 400 }));
  });

  it('is asked of a text piece by piece where it is a phrase', () => {
    expect(piecesOf(term('hello, world!', true))).toEqual(['hello', 'world']);
    expect(piecesOf(term('?! ?', true))).toEqual(['?! ?']);
    expect(piecesOf(term('foo.bar()'))).toEqual(['foo.bar()']);
  });

  it('is looked up by pairs beyond ASCII, whatever they hold', () => {
    expect(pairsOf('全文搜')).toBe(`'=全文' & '=文搜'`);
    expect(pairsOf('中')).toBe(`'=中':*`);
    expect(pairsOf('café олимп')).toBe(`'=é':* & '=ол' & '=ли' & '=им' & '=мп'`);
    expect(pairsOf('🎈🎉')).toBe(`'=🎈🎉'`);
    expect(pairsOf(`it's \\`)).toBe('');
  });

  it('can be looked up where there are three letters or one beyond ASCII', () => {
    expect(['abc', 'x-abc', '中', 'é'].map((text) => canBeLookedUp(term(text)))).toEqual([true, true, true, true]);
    expect(['ab', '++', 'a-b-c'].map((text) => canBeLookedUp(term(text)))).toEqual([false, false, false]);
  });

  it('finds the wildcards of LIKE as the characters that they are', () => {
    expect(holding('100%_\\')).toBe('%100\\%\\_\\\\%');
  });
});
