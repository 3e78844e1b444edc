import { type Answer, type Person, person, serverOf } from '../support/people.js';
import { runApp, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

describe('search', () => {
  let database: TestDatabase;
  let app: RunningApp;
  let ada: Person;
  let bob: Person;
  let server: { id: string; general: string };

  beforeAll(async () => {
    database = await createTestDatabase();
    app = await runApp({ DATABASE_URL: database.url, RATE_LIMIT: 'off' });
    ada = await person(app.url, 'ada');
    bob = await person(app.url, 'bob');
    server = await serverOf(ada, bob);
  }, 60_000);

  afterAll(async () => {
    await app.stop();
    await database.drop();
  }, 60_000);

  const search = (who: Person, query: Record<string, string>): Promise<Answer> =>
    who.get(`/search?${new URLSearchParams(query).toString()}`);
  const texts = async (who: Person, q: string, more: Record<string, string> = {}): Promise<string[]> => {
    const { status, body } = await search(who, { q, ...more });
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body.items.map((item: { message: { content: string } }) => item.message.content);
  };

  describe('finds', () => {
    const said = {
      report: 'The Quarterly Report is ready, says Grace Hopper',
      code: 'const user = getUserById(42); // see src/users/find_user.ts',
      chinese: '我们今天讨论全文搜索的实现',
      japanese: 'こんにちは、世界。検索エンジンを作る',
      thai: 'สวัสดีชาวโลก',
      russian: 'Привет, это электростанция',
      korean: '서울에서 만나요',
      french: 'Le café est fermé',
      emoji: 'we ship it 🚀🎉',
      percent: 'sales are up 100% in c_3',
      link: 'look at https://example.org/a?b=c',
    };

    beforeAll(async () => {
      for (const content of Object.values(said)) await ada.say(server.general, content);
    });

    it.each<[string, string, string[]]>([
      ['a word, in any case', 'REPORT', [said.report]],
      ['several words in any order', 'ready quarterly', [said.report]],
      ['no message that lacks one of the words', 'ready yesterday', []],
      ['a name', 'grace hopper', [said.report]],
      ['a phrase', '"quarterly report"', [said.report]],
      ['no phrase in another order', '"report quarterly"', []],
      ['a phrase over what separates words', '"ready says"', [said.report]],
      ['nothing with what is left out', 'quarterly -grace', []],
      ['either of two', '"quarterly report" or getuserbyid', [said.code, said.report]],
      ['part of a word', 'uarterl', [said.report]],
      ['part of a name in code', 'userby', [said.code]],
      ['code as it is written', 'getUserById(42);', [said.code]],
      ['a path', 'src/users/find_user.ts', [said.code]],
      ['Chinese', '全文搜索', [said.chinese]],
      ['one Chinese character', '论', [said.chinese]],
      ['no Chinese that is not there', '搜全', []],
      ['Japanese', '検索', [said.japanese]],
      ['Japanese at the end', 'ンジンを作る', [said.japanese]],
      ['Thai', 'ชาวโลก', [said.thai]],
      ['Russian in any case', 'ПРИВЕТ', [said.russian]],
      ['part of a Russian word', 'станци', [said.russian]],
      ['Korean without its particle', '서울', [said.korean]],
      ['accented words', 'CAFÉ fermé', [said.french]],
      ['part of an accented word', 'ferm', [said.french]],
      ['emoji', '🚀', [said.emoji]],
      ['a percent sign as itself', '100%', [said.percent]],
      ['no text for a pattern of percent signs', '%%%', []],
      ['an underscore as itself', 'c_3', [said.percent]],
      ['a link', 'example.org', [said.link]],
      ['an address of a link', 'https://example.org/a?b=c', [said.link]],
      ['nothing for the operators of tsquery', "ready:* & !report | 'x'", []],
    ])('%s', async (_, q, expected) => {
      expect(await texts(ada, q)).toEqual(expected);
    });

    it('says where and marks what, in plain text that nothing was added to', async () => {
      const content = '<img src=x onerror=alert(1)> & <mark>needles</mark>';
      const { id } = await bob.say(server.general, content);
      const { body } = await search(ada, { q: 'needle' });
      expect(body.items).toEqual([
        {
          message: expect.objectContaining({ id, content, author: expect.objectContaining({ id: bob.id }) }),
          conversation: { id: server.general, kind: 'channel', title: 'general', serverId: server.id },
          rank: 'parts',
          fragments: [{ text: content, marks: [[content.indexOf('needle'), content.indexOf('needle') + 6]] }],
        },
      ]);
    });

    it('with filters by author, place, time and link', async () => {
      const other = await serverOf(ada);
      await ada.say(other.general, 'a report elsewhere');
      await bob.say(server.general, 'a report by bob, http://example.org/report');
      expect(await texts(ada, 'report', { from: bob.id })).toHaveLength(1);
      expect(await texts(ada, 'report', { in: other.general })).toEqual(['a report elsewhere']);
      expect(await texts(ada, 'report', { in: other.id })).toEqual(['a report elsewhere']);
      expect(await texts(ada, 'report', { in: server.id })).toHaveLength(2);
      expect(await texts(ada, 'report', { has: 'link' })).toEqual(['a report by bob, http://example.org/report']);
      const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
      expect(await texts(ada, 'report', { before: tomorrow, after: tomorrow.slice(0, 10) })).toEqual([]);
      expect(await texts(ada, 'report', { before: '2020-01-01' })).toEqual([]);
      expect(await texts(ada, 'report', { after: '2020-01-01T00:00:00+02:00', before: tomorrow })).toHaveLength(3);
    });
  });

  it('shows what was edited as it is now, and nothing that was deleted, as soon as that is answered', async () => {
    const { id } = await ada.say(server.general, 'ephemeral albatross');
    expect(await texts(bob, 'albatross')).toHaveLength(1);
    await ada.patch(`/conversations/${server.general}/messages/${id}`, { content: 'lasting pelican' });
    expect([await texts(bob, 'albatross'), await texts(bob, 'lbatros'), await texts(bob, 'pelican')]).toEqual([
      [],
      [],
      ['lasting pelican'],
    ]);
    await ada.delete(`/conversations/${server.general}/messages/${id}`);
    expect([await texts(bob, 'albatross'), await texts(bob, 'pelican'), await texts(bob, 'elica')]).toEqual([
      [],
      [],
      [],
    ]);
  });

  it('shows nobody what they may not read: strangers, past members, other sessions', async () => {
    const eve = await person(app.url, 'eve');
    const carl = await person(app.url, 'carl');
    const { id, general } = await serverOf(ada, carl);
    await ada.say(general, 'the password is xyzzy');
    const session = (await ada.post('/sessions', { type: 'peer' })).body.id as string;
    await ada.say(session, 'my own xyzzy');
    expect(await texts(ada, 'xyzzy')).toHaveLength(2);
    expect(await texts(carl, 'xyzzy')).toHaveLength(1);
    expect(await texts(eve, 'xyzzy')).toEqual([]);
    await ada.delete(`/servers/${id}/members/${carl.id}`);
    expect(await texts(carl, 'xyzzy')).toEqual([]);
    expect(await texts(carl, 'xyzz')).toEqual([]);
    for (const place of [general, id, session, '01990000-0000-7000-8000-00000000dead']) {
      expect(await search(carl, { q: 'xyzzy', in: place })).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
    expect((await search(ada, { q: 'nothing-like-this', in: general })).status).toBe(200);
  });

  it('pages through both ranks, newest first in each, without doubling or missing one while others write', async () => {
    const { general } = await serverOf(ada);
    const expected = { words: [] as string[], parts: [] as string[] };
    for (let i = 0; i < 40; i += 1) {
      const kind = i % 3 === 0 ? 'parts' : 'words';
      expected[kind].unshift((await ada.say(general, kind === 'words' ? `gizmo ${i}` : `gizmos ${i}`)).id);
    }
    const seen: string[] = [];
    for (let cursor: string | null = '', pages = 0; cursor !== null; pages += 1) {
      const { body } = await search(ada, { q: 'gizmo', in: general, limit: '7', ...(cursor && { cursor }) });
      seen.push(...body.items.map((item: { message: { id: string } }) => item.message.id));
      cursor = body.nextCursor;
      await ada.say(general, 'another gizmo');
      expect(pages).toBeLessThan(10);
    }
    expect(seen).toEqual([...expected.words, ...expected.parts]);
  });

  it.each<[Record<string, string>, string]>([
    [{}, 'q'],
    [{ q: '' }, 'q'],
    [{ q: '   ' }, 'q'],
    [{ q: '-only -without' }, 'q'],
    [{ q: 'x'.repeat(257) }, 'q'],
    [{ q: 'x '.repeat(30) }, 'q'],
    [{ q: 'a\u0000b' }, 'q'],
    [{ q: 'a', in: 'general' }, 'in'],
    [{ q: 'a', from: "x' OR true --" }, 'from'],
    [{ q: 'a', before: 'yesterday' }, 'before'],
    [{ q: 'a', after: '2026-13-01' }, 'after'],
    [{ q: 'a', after: '2026-02-31' }, 'after'],
    [{ q: 'a', has: 'virus' }, 'has'],
    [{ q: 'a', limit: '101' }, 'limit'],
    [{ q: 'a', cursor: 'made-up' }, 'cursor'],
    [
      {
        q: 'a',
        cursor: Buffer.from('["x","2026-01-01T00:00:00.000Z","01990000-0000-7000-8000-00000000dead"]').toString(
          'base64url',
        ),
      },
      'cursor',
    ],
    [{ q: 'a', unknown: '1' }, 'unknown'],
  ])('names what is wrong with %j', async (query, field) => {
    const { status, body } = await search(ada, query);
    expect([status, body.code, [...new Set(body.errors?.map(({ path }: { path: string }) => path))]]).toEqual([
      400,
      'validation_failed',
      [field],
    ]);
  });

  it('takes every odd query without breaking', async () => {
    const odd = [
      "'",
      '"',
      '\\',
      '$1',
      '*',
      '(',
      '&&&',
      ':*',
      "a'b\\c",
      '<->',
      '!',
      '()',
      '{}',
      '\u202e',
      'ﷺ',
      '́',
      '%_\\',
      '🏳️‍🌈',
      'İ',
      'ß',
    ];
    for (const q of [...odd, ...odd.map((each) => `a ${each}`), ...odd.map((each) => `"x ${each}" -${each}`)]) {
      const { status, body } = await search(ada, { q });
      expect([q, [200, 400].includes(status), body.code ?? 'found']).toEqual([
        q,
        true,
        status === 200 ? 'found' : 'validation_failed',
      ]);
    }
  });
});
