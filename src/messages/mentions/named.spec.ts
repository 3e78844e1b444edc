import { namedIn, withoutCode } from './named.js';

const first = (content: string) => namedIn(content).names.map(([longest]) => longest);

describe('who is named in a text', () => {
  it.each([
    ['nobody', 'hello', []],
    ['somebody at the start', '@ada hello', ['ada']],
    ['several, each once', 'hi @ada and @bob, @ADA', ['ada', 'bob']],
    ['somebody in brackets', '(@ada)', ['ada']],
    ['somebody in a link to nobody', '**@ada**', ['ada']],
    ['a name of another writing', 'привет @Мария', ['мария']],
    ['a name that is wide', '@ａｄａ', ['ada']],
    ['a name with all that names may have', '@a_d.a-1', ['a_d.a-1']],
    ['an address is nobody', 'mail ada@example.org or a+b@example.org', []],
    ['a link is nobody', 'https://example.org/@ada', []],
    ['two signs are nobody', '@@ada', []],
    ['two characters are nobody', '@ab', []],
    ['more characters than a name has are nobody', `@${'a'.repeat(33)}`, []],
  ])('%s', (_, content, expected) => {
    expect(first(content)).toEqual(expected);
  });

  it('may be meant without what ends the sentence', () => {
    expect(namedIn('ask @ada.').names).toEqual([['ada.', 'ada']]);
    expect(namedIn('_@ada_-._').names).toEqual([['ada_-._', 'ada_-.', 'ada_-', 'ada_', 'ada']]);
  });

  it('may be everybody, or everybody who is here', () => {
    for (const text of ['@everyone', 'HEY @EveryOne!']) {
      expect(namedIn(text)).toEqual({ names: [], everyone: true, here: false });
    }
    for (const text of ['now @here.', '@HERE!'])
      expect(namedIn(text)).toEqual({ names: [], everyone: false, here: true });
    expect(namedIn('@everyones @hereby @ada')).toMatchObject({ everyone: false, here: false });
  });

  it('is looked for fifty times at most', () => {
    const text = Array.from({ length: 5_000 }, (_, i) => `@p${i}x`).join(' ');
    expect(namedIn(text).names).toHaveLength(50);
  });

  it.each([
    ['a span', 'a `@ada` b', 'a   b'],
    ['a span of two', '``@ada ` @bob`` c', '  c'],
    ['a span over lines', 'a `x\n@ada` b', 'a   b'],
    ['three in a line', '```@ada``` c', '  c'],
    ['three in the middle of lines', 'a ```\n@ada\n``` b', 'a   b'],
    ['a block', 'a\n```ts\n@ada\n```\nb', 'a\n \nb'],
    ['a block of tildes with backticks in it', '~~~\n@ada\n```\n@bob\n~~~\nc', '\nc'],
    ['a block that a shorter fence does not end', '````\n```\n@ada\n````\nb', ' \nb'],
    ['a block that nothing ends', 'a\n```\n@ada\n@bob', 'a\n'],
    ['no span: a single backtick', 'a ` @ada', 'a ` @ada'],
    ['no span: runs of different lengths', '`` @ada `', '`` @ada `'],
    ['no block: four blanks before it', '    ~~~\n@ada', '    ~~~\n@ada'],
  ])('is not in code: %s', (_, content, expected) => {
    expect(withoutCode(content)).toBe(expected);
  });

  it('is found in a text made to be slow', () => {
    const runs = Array.from({ length: 190 }, (_, i) => '`'.repeat(i + 1)).join(' ');
    const started = performance.now();
    expect(first('` '.repeat(10_000))).toEqual([]);
    expect(first(`${runs} @ada`)).toEqual(['ada']);
    expect(first(`${'` `` '.repeat(3_000)}${'@'.repeat(3_000)}${'@a.'.repeat(1_000)}`)).toEqual([]);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});
