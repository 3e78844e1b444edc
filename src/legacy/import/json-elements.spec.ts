import { Beside, jsonElements, jsonObjects } from './json-elements.js';
import { BrokenRow, SourceError } from './source.js';

async function* chunksOf(text: string | Buffer, size: number) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

async function elementsOf(text: string | Buffer, size: number, field?: string): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const element of jsonElements('x.json', chunksOf(text, size), field)) found.push(element);
  return found;
}

const reasons = (found: unknown[]) => found.map((each) => (each instanceof BrokenRow ? each.reason : each));

describe('the elements of a JSON array', () => {
  const told = [
    ...[1, 'a "quoted" \\ text, with [brackets] {and} \u00e9\ud83d\ude00', null, true, [], {}, [[1], [2, { a: ']' }]]],
    ...[{ b: '\\', c: { d: ['\\"', ',', '}'] } }, '', -1.5e3, 'a\u0000b\ud800'],
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
    expect(reasons(found)).toEqual([
      ...[1, 'not valid JSON', 'nested too deeply', 2, 'not valid JSON', 3, 'not valid JSON'],
    ]);
    expect((found[1] as BrokenRow).text).toBe('{"a" 1}');
    expect((found[2] as BrokenRow).text.startsWith('[[[')).toBe(true);
    expect(reasons(await elementsOf('{"a" 1}', 3))).toEqual(['not valid JSON']);
  });

  it.each([1, 10_000])('are broken where one is deeper than 500, in chunks of %i bytes', async (size) => {
    const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(reasons(await elementsOf(`[${nested(501)},${nested(500)}]`, size))).toEqual([
      'nested too deeply',
      JSON.parse(nested(500)),
    ]);
    const [deep] = await elementsOf(`[${nested(501)}]`, size);
    expect((deep as BrokenRow).text).toMatch(/^\[+/);
    const object = `{"a": ${nested(500)}}`;
    expect(reasons(await elementsOf(object, size))).toEqual(['nested too deeply']);
    expect(reasons(await elementsOf(`{"list": [${object}, 1]}`, size, 'list')).slice(1, -1)).toEqual([
      'nested too deeply',
      1,
    ]);
  });

  it('are the same where nothing comes for a while in the middle of a sign', async () => {
    async function* halting() {
      for (const part of ['["a\\', '', '"b", "\\', '', '\\", 1]']) yield await Promise.resolve(Buffer.from(part));
    }
    const found: unknown[] = [];
    for await (const element of jsonElements('x.json', halting())) found.push(element);
    expect(found).toEqual(['a"b', '\\', 1]);
  });

  it('are objects alone where objects are asked for, anything else broken', async () => {
    const found: unknown[] = [];
    const text = '[{"a": 1}, 5, null, [{}], "x", nothing, {}]';
    for await (const row of jsonObjects('x.json', chunksOf(text, 4), 'no chat')) found.push(row);
    expect(found).toEqual([
      { a: 1 },
      ...['5', 'null', '[{}]', '"x"'].map((shown) => new BrokenRow('no chat', shown)),
      new BrokenRow('not valid JSON', 'nothing'),
      {},
    ]);
  });

  it.each([
    ['locked', new SourceError('locked')],
    ['x.json is truncated or no JSON (gone).', new Error('gone')],
  ])('are refused where their bytes end early: %s', async (sentence, error) => {
    async function* ending() {
      yield await Promise.resolve(Buffer.from('[1'));
      throw error;
    }
    const reading = async () => {
      for await (const _ of jsonElements('x.json', ending()));
    };
    await expect(reading()).rejects.toEqual(new SourceError(sentence));
  });

  it('are read no further than somebody wants them', async () => {
    let isLetGo = false;
    async function* endless() {
      try {
        yield Buffer.from('[1');
        for (;;) yield await Promise.resolve(Buffer.from(',2'));
      } finally {
        isLetGo = true;
      }
    }
    for await (const element of jsonElements('x.json', endless())) if (element === 2) break;
    expect(isLetGo).toBe(true);
  });

  it('are cut off where one is bigger than anything real, and memory does not hold it', async () => {
    async function* huge() {
      yield Buffer.from('[1, "');
      for (let mebibytes = 0; mebibytes < 80; mebibytes++) yield await Promise.resolve(Buffer.alloc(1 << 20, 'y'));
      yield Buffer.from('", 2]');
    }
    const found: unknown[] = [];
    for await (const element of jsonElements('x.json', huge())) found.push(element);
    expect(found).toEqual([1, expect.objectContaining({ reason: 'bigger than 67108864 bytes' }), 2]);
    expect((found[1] as BrokenRow).text.length).toBeLessThanOrEqual(1000);
  });

  it.each([
    '',
    '  ',
    'x',
    '"text"',
    '[1, 2',
    '[{"a": 1}',
    '{"a": "',
    '[1] [2]',
    '{"a": 1}\n{"a": 2}',
    '[1]x',
    '[1}',
    'x [1]',
  ])('are refused in a sentence where the text is %j', async (text) => {
    for (const size of [1, 100]) {
      const refused = await elementsOf(text, size).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(SourceError);
      expect((refused as SourceError).message).toMatch(/^x\.json is truncated or no JSON \(.+\)\.$/);
    }
  });

  it('are refused where the bytes are no UTF-8', async () => {
    await expect(elementsOf(Buffer.from('["\xe9"]', 'latin1'), 100)).rejects.toThrow(SourceError);
    await expect(elementsOf(Buffer.from('[1]', 'utf16le'), 100)).rejects.toThrow(SourceError);
  });
});

describe('the elements of the list in a field of a JSON object', () => {
  const list = [{ id: 1, list: ['},"]'] }, 'a "quoted" text', [], [[1], { list: [2] }]];
  const before = { a: { list: [0] }, b: [[]], c: '"list": [', d: 'list' };
  const behind = { e: ['"list":', { list: [3] }], f: 4 };
  const whole = { ...before, list: [], ...behind };

  it.each([1, 2, 3, 7, 10_000])('come with what stands beside it, in chunks of %i bytes', async (size) => {
    const told = [new Beside({ ...before, list: [] }, false), ...list, new Beside(whole, true)];
    for (const space of [0, 2]) {
      const text = JSON.stringify({ ...before, list, ...behind }, null, space);
      expect(await elementsOf(`\ufeff${text}\n`, size, 'list')).toEqual(told);
    }
    expect(await elementsOf(JSON.stringify(whole), size, 'list')).toEqual([told[0], told.at(-1)]);
  });

  it.each([1, 100])('are broken rows by themselves, in chunks of %i bytes', async (size) => {
    const text = '{"list": [{"a" 1}, 1, "\xe9", {"b": "\xe9", broken}, 2, nothing, 3], "size": 7}';
    const found = await elementsOf(Buffer.from(text, 'latin1'), size, 'list');
    expect(reasons(found.slice(1))).toEqual([
      ...['not valid JSON', 1, 'not valid UTF-8', 'not valid UTF-8', 2, 'not valid JSON', 3],
      new Beside({ list: [], size: 7 }, true),
    ]);
  });

  it.each([
    '',
    '[{"list": []}]',
    '{"other": []}',
    '{"a": {"list": []}}',
    '{"list": {"a": []}}',
    '{"list": [1',
    '{"list": [1]',
  ])('are refused in a sentence where the text is %j', async (text) => {
    for (const size of [1, 100]) {
      const refused = await elementsOf(text, size, 'list').catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(SourceError);
      expect((refused as SourceError).message).toMatch(/^x\.json is cut off, or no JSON object with list \(.+\)\.$/);
    }
  });

  it.each(['{"a" 1, "list": []}', '{"list": [], "a" 1}', '{"list": []} {"list": []}', '{"list": [], }'])(
    'are refused where what stands beside them is no JSON: %j',
    async (text) => {
      await expect(elementsOf(text, 5, 'list')).rejects.toThrow(SourceError);
    },
  );

  it.each([
    ['before', '{"a": "', '", "list": []}'],
    ['behind', '{"list": [], "a": "', '"}'],
  ])(
    'are refused where more stands %s them than memory should hold, and no more of it is read',
    async (_, start, end) => {
      let read = 0;
      async function* long() {
        yield Buffer.from(start);
        for (; read < 10; read++) yield await Promise.resolve(Buffer.alloc(1 << 19, 'x'));
        yield Buffer.from(end);
      }
      const reading = async () => {
        for await (const _ of jsonElements('x.json', long(), 'list'));
      };
      await expect(reading()).rejects.toThrow('too much in it beside the list');
      expect(read).toBeLessThan(4);
    },
  );
});
