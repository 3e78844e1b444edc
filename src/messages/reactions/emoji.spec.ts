import { canonicalEmoji } from './emoji.js';

describe('an emoji to react with', () => {
  it.each([
    ['a plain one', '👍', '👍'],
    ['one with a skin tone', '👍🏽', '👍🏽'],
    ['a family', '👨‍👩‍👧‍👦', '👨‍👩‍👧‍👦'],
    ['the longest there is', '👩🏽‍❤️‍💋‍👨🏿', '👩🏽‍❤️‍💋‍👨🏿'],
    ['a flag', '🇩🇪', '🇩🇪'],
    ['a flag of a region', '🏴󠁧󠁢󠁳󠁣󠁴󠁿', '🏴󠁧󠁢󠁳󠁣󠁴󠁿'],
    ['a heart as a keyboard sends it', '\u2764\ufe0f', '\u2764\ufe0f'],
    ['a heart without its variation selector: the same heart', '\u2764', '\u2764\ufe0f'],
    ['a heart that asks to be shown as text: the same heart', '\u2764\ufe0e', '\u2764\ufe0f'],
    ['a sequence that lacks a selector inside', '\u{1f3f3}\u200d🌈', '\u{1f3f3}\ufe0f\u200d🌈'],
    ['a key', '1\u20e3', '1\ufe0f\u20e3'],
    ['a name', ':party_parrot:', ':party_parrot:'],
    ['a name with a sign', ':+1:', ':+1:'],
    ['a name in the composed form', ':cafe\u0301:', ':caf\u00e9:'],
  ])('may be %s', (_, given, expected) => {
    expect(canonicalEmoji(given)).toBe(expected);
  });

  it.each([
    ['nothing', ''],
    ['a letter', 'a'],
    ['a digit', '1'],
    ['a sign of another writing', '漢'],
    ['a text', 'not an emoji'],
    ['two at once', '👍👍'],
    ['two flags', '🇩🇪🇩🇪'],
    ['half a flag', '🇩'],
    ['one behind a letter', 'a👍'],
    ['one under a heap of marks', `👍${'\u0301'.repeat(20)}`],
    ['one mark too many', '👍\u0301'],
    ['a joiner alone', '\u200d'],
    ['an endless family', '👨‍👩‍👧‍👦' + '\u200d👦'.repeat(20)],
    ['a name without an end', ':tada'],
    ['a name with a blank', ':a b:'],
    ['a name of 33 characters', `:${'x'.repeat(33)}:`],
    ['a name with a tag', ':<b>:'],
  ])('is not %s', (_, given) => {
    expect(canonicalEmoji(given)).toBeUndefined();
  });
});
