import { withMentions } from '../mentioning.js';
import { spoken } from './slack-text.js';

const names = {
  hasPerson: (id: string) => id === 'U1',
  channel: (id: string) => (id === 'C1' ? 'general' : undefined),
};
const told = (text: string) => withMentions(spoken(text, names), () => 'ada');

describe('a text of Slack', () => {
  it.each([
    ['Hi <@U1>, and <@U9|Bob> and <@U8>', 'Hi @ada, and @Bob and @U8'],
    ['see <#C1|general>, <#C1> and <#C9>', 'see #general, #general and #C9'],
    ['<!here> <!channel|@channel> <!subteam^S1|@ops> <!date^1^{date}|Monday>', '@here @channel @ops Monday'],
    ['<https://x.org/a?b=1&amp;c=2>', 'https://x.org/a?b=1&c=2'],
    ['<https://x.org/(a)|a [b] &lt;c&gt;>', '[a \\[b\\] <c>](https://x.org/%28a%29)'],
    ['<https://x.org|https://x.org>', 'https://x.org'],
    ['<mailto:a@x.org|a@x.org> <tel:123|123> <javascript:alert(1)|click>', 'a@x.org 123 click'],
    ['1 &lt; 2 &amp;&amp; 3 &gt; 2 &amp;lt; &quot;', '1 < 2 && 3 > 2 &lt; &quot;'],
    [':tada: at 10:30:00 :unknown: :wave::skin-tone-2:', '🎉 at 10:30:00 :unknown: 👋🏻'],
    ['`:tada: <@U1> &lt;b&gt; <https://x.org|x>`', '`:tada: @U1 <b> https://x.org`'],
    ['```\n:tada: a &lt; b\n``` :tada:', '```\n:tada: a < b\n``` 🎉'],
    ['a < b and `open :tada:', 'a < b and `open 🎉'],
    ['*bold* _it_ ~no~', '*bold* _it_ ~no~'],
    ['<>', '<>'],
    ['', ''],
  ])('%j is %j here', (text, expected) => {
    expect(told(text)).toBe(expected);
  });
});
