import { canonicalEmoji } from '../../../messages/reactions/emoji.js';
import { emojiNamed, reactionNamed } from './slack-emoji.js';

describe('the emoji of Slack', () => {
  it.each([
    ['+1', '👍'],
    ['thumbsup', '👍'],
    ['thinking_face', '🤔'],
    ['simple_smile', '🙂'],
    ['heart', '❤️'],
    ['man-shrugging', '🤷‍♂️'],
    ['female-technologist', '👩‍💻'],
    ['flag-de', '🇩🇪'],
    ['large_green_circle', '🟢'],
    ['wave::skin-tone-3', '👋🏼'],
    ['point_up::skin-tone-2', '☝🏻'],
    ['man-shrugging::skin-tone-6', '🤷🏿‍♂️'],
  ])('%s is %s', (name, emoji) => {
    expect(emojiNamed(name)).toBe(emoji);
    expect(canonicalEmoji(reactionNamed(name))).toBeDefined();
  });

  it.each([
    ['party-parrot', ':party-parrot:'],
    ['constructor', ':constructor:'],
    ["l'été!", ':l_été_:'],
    ['x'.repeat(100), `:${'x'.repeat(32)}:`],
    ['', ':_:'],
  ])('%j, which it does not know, stays a name', (name, expected) => {
    expect(emojiNamed(name)).toBeUndefined();
    expect(reactionNamed(name)).toBe(expected);
    expect(canonicalEmoji(expected)).toBe(expected);
  });
});
