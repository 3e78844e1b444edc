import { mentionedIn, mentionOf, withMentions } from './mentioning.js';

const ada = mentionOf('U1');
const names = new Map([
  ['U1', 'ada-legacy'],
  ['U2', 'bob'],
]);
const told = (text: string) => withMentions(text, (id) => names.get(id) ?? id);

describe('the people in an old text', () => {
  it.each([
    [`Hi ${ada}!`, 'Hi @ada-legacy!'],
    [`${ada}${mentionOf('U2')}`, '@ada-legacy @bob'],
    [`see${ada}there`, 'see @ada-legacy there'],
    [`${ada}.`, '@ada-legacy.'],
    [`${ada}.com and ${ada}, ${ada}`, '@ada-legacy .com and @ada-legacy, @ada-legacy'],
    ['nobody', 'nobody'],
  ])('are called as they are called here: %j', (text, expected) => {
    expect(told(text)).toBe(expected);
  });

  it('are each found once', () => {
    expect(mentionedIn(`${ada} ${mentionOf('U2')} ${ada}`)).toEqual(['U1', 'U2']);
    expect(mentionedIn('@ada')).toEqual([]);
  });
});
