import { withLinks } from './links.js';

const file = (name: string | null, url: string | null) => ({ name, url, size: 5, contentType: 'image/png' });

describe('the files of an old message', () => {
  it('stand behind its text as links, each on a line of its own', () => {
    expect(withLinks('Look', [file('a.png', 'https://x.org/a.png'), file('b.png', 'http://x.org/b')])).toEqual({
      content: 'Look\n[a.png](https://x.org/a.png)\n[b.png](http://x.org/b)',
      attachments: [
        { name: 'a.png', url: 'https://x.org/a.png', size: 5, contentType: 'image/png' },
        { name: 'b.png', url: 'http://x.org/b', size: 5, contentType: 'image/png' },
      ],
    });
  });

  it('leave a text without files as it is', () => {
    expect(withLinks('Look', [])).toEqual({ content: 'Look', attachments: [] });
  });

  it.each([
    ['a text that is empty', '', file('a', 'https://x.org/a'), '[a](https://x.org/a)'],
    [
      'a name that would end the link',
      'x',
      file('a](http://evil)[', 'https://x.org/a'),
      'x\n[a\\](http://evil)\\[](https://x.org/a)',
    ],
    ['a name over lines', 'x', file('a\n# b', 'https://x.org/a'), 'x\n[a # b](https://x.org/a)'],
    [
      'no name',
      'x',
      file(null, 'https://x.org/dir/pic.png?width=1'),
      'x\n[pic.png](https://x.org/dir/pic.png?width=1)',
    ],
    ['no name anywhere', 'x', file('', 'https://x.org/'), 'x\n[file](https://x.org/)'],
    [
      'an address with blanks and brackets',
      'x',
      file('a', 'https://x.org/a (1).png'),
      'x\n[a](https://x.org/a%20%281%29.png)',
    ],
    ['an address that does something', 'x', file('a', 'javascript:alert(1)'), 'x\na'],
    ['a path on somebody’s disk', 'x', file('a.png', 'General_Files/a.png'), 'x\na.png'],
    ['no address', 'x', file('a', null), 'x\na'],
  ])('are told of with %s', (_, text, given, expected) => {
    expect(withLinks(text, [given]).content).toBe(expected);
  });
});
