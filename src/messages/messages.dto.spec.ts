import { validateSync } from 'class-validator';
import { MessageDraft } from './messages.dto.js';

describe('the files that a message names', () => {
  const wrongIn = (attachmentIds: string[]) =>
    validateSync(Object.assign(new MessageDraft(), { content: 'see attached', attachmentIds })).map(
      ({ property }) => property,
    );
  const id = (n: number) => `01990000-0000-7000-8000-${String(n).padStart(12, '0')}`;

  it('are named once each', () => {
    expect(wrongIn([id(1), id(2)])).toEqual([]);
    expect(wrongIn([id(1), id(2), id(1)])).toEqual(['attachmentIds']);
  });

  it('are not compared each with every other one: as many as fit into a body held the node up for seconds', () => {
    const length = 1000;
    let looks = 0;
    const counted = new Proxy(
      Array.from({ length }, (_, n) => id(n)),
      {
        get(ids, key) {
          if (typeof key === 'string' && /^\d+$/.test(key)) looks += 1;
          return Reflect.get(ids, key) as unknown;
        },
      },
    );
    wrongIn(counted);
    expect(looks).toBeLessThan(10 * length);
  });
});
