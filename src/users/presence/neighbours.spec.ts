import { type Chosen, Neighbours } from './neighbours.js';

const online: Chosen = { choice: 'online', at: 0 };
const came = (userId: string) => ({ userId, chosen: online });
const left = (userId: string) => ({ userId, chosen: null });

describe('What other nodes tell of their people', () => {
  it('is asked for where its beginning or anything between was missed, and followed from there', () => {
    const neighbours = new Neighbours();
    expect(neighbours.follow('a', 3, [came('ada')], 0)).toBe(false);
    expect([...neighbours.people()]).toEqual([]);
    expect(neighbours.replace('a', 3, [['ada', online]], 1)).toEqual(['ada']);
    expect(neighbours.follow('a', 5, [came('bob'), left('ada')], 2)).toBe(true);
    expect([...neighbours.people()]).toEqual(['bob']);
    expect(neighbours.follow('a', 7, [left('bob')], 3)).toBe(false);
    expect([...neighbours.people()]).toEqual(['bob']);
    expect(neighbours.replace('a', 7, [], 4)).toEqual(['bob']);
    expect(neighbours.follow('a', 7, [], 5)).toBe(true);
  });

  it('is asked for once, not with every event until it comes', () => {
    const neighbours = new Neighbours();
    const asked = [0, 10, 999, 1_000].map((now) => !neighbours.follow('a', 5, [], now));
    expect(asked).toEqual([true, false, false, true]);
  });

  it('counts no more once a node has been silent for long', () => {
    const neighbours = new Neighbours();
    neighbours.replace('a', 1, [['ada', online]], 0);
    neighbours.replace(
      'b',
      1,
      [
        ['ada', online],
        ['bob', online],
      ],
      0,
    );
    neighbours.follow('a', 1, [], 8_000);
    expect(neighbours.expire(12_000)).toEqual([]);
    expect(neighbours.expire(12_001)).toEqual(['ada', 'bob']);
    expect([[...neighbours.of('ada')], [...neighbours.of('bob')]]).toEqual([[online], []]);
  });
});
