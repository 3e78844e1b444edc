import { jsonElements } from './json-elements.js';
import { BrokenRow, SourceError } from './source.js';

async function elementsOf(text: string | Buffer, size: number): Promise<unknown[]> {
  const bytes = Buffer.from(text);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
  }
  const found: unknown[] = [];
  for await (const element of jsonElements('x.json', chunks())) found.push(element);
  return found;
}

describe('the elements of a JSON array', () => {
  const told = [
    ...[1, 'a "quoted" \\ text, with [brackets] {and} \u00e9\ud83d\ude00', null, true, [], {}, [[1], [2, { a: ']' }]]],
    ...[{ b: '\\', c: { d: ['\\"', ',', '}'] } }, '', -1.5e3],
  ];
  const spread = JSON.stringify(told, null, 2);

  it.each([1, 2, 3, 7, 10_000])('are the same as of the whole text, in chunks of %i bytes', async (size) => {
    expect(await elementsOf(`\ufeff ${spread}\n`, size)).toEqual(told);
    expect(await elementsOf(JSON.stringify(told[7]), size)).toEqual([told[7]]);
    expect(await elementsOf(' [ ] ', size)).toEqual([]);
  });

  it('are broken rows by themselves, without harm to those beside them', async () => {
    const deep = `${'['.repeat(600)}${']'.repeat(600)}`;
    const found = await elementsOf(`[1, {"a" 1}, ${deep}, 2,, 3,]`, 5);
    expect(found.map((each) => (each instanceof BrokenRow ? each.reason : each))).toEqual([
      ...[1, 'not valid JSON', 'nested too deeply', 2, 'not valid JSON', 3, 'not valid JSON'],
    ]);
  });

  it('are cut off where one is bigger than anything real, and memory does not hold it', async () => {
    async function* huge() {
      yield Buffer.from('[1, "');
      for (let mebibytes = 0; mebibytes < 80; mebibytes++) yield await Promise.resolve(Buffer.alloc(1 << 20, 'y'));
      yield Buffer.from('", 2]');
    }
    const found: unknown[] = [];
    for await (const element of jsonElements('x.json', huge())) found.push(element);
    expect(found).toEqual([1, expect.objectContaining({ reason: 'bigger than 67108864 characters' }), 2]);
    expect((found[1] as BrokenRow).text.length).toBeLessThanOrEqual(1000);
  });

  it.each(['', '  ', 'x', '"text"', '[1, 2', '[{"a": 1}', '{"a": "', '[1] [2]', '{"a": 1}\n{"a": 2}', '[1]x'])(
    'are refused in a sentence where the text is %j',
    async (text) => {
      for (const size of [1, 100]) {
        const refused = await elementsOf(text, size).catch((error: unknown) => error);
        expect(refused).toBeInstanceOf(SourceError);
        expect((refused as SourceError).message).toMatch(/^x\.json is truncated or no JSON \(.+\)\.$/);
      }
    },
  );

  it('are refused where the bytes are no UTF-8', async () => {
    await expect(elementsOf(Buffer.from('["\xe9"]', 'latin1'), 100)).rejects.toThrow(SourceError);
    await expect(elementsOf(Buffer.from('[1]', 'utf16le'), 100)).rejects.toThrow(SourceError);
  });
});
