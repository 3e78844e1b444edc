import { comparable } from '../../users/names.js';

/** Further names in one message are text. */
const MAX_NAMES = 50;
const NAME = /(?<![\p{L}\p{N}/@+-])@([\p{L}\p{N}_.-]{3,64})/gu;
/** What may end a name may also end a sentence. */
const ENDING = /[_.-]$/;
const EVERYONE = 'everyone';
const HERE = 'here';

export interface Named {
  /** Each name in the forms it may have, as they are compared, the longest first. */
  names: string[][];
  everyone: boolean;
  /** Those who are here at that moment. */
  here: boolean;
}

const NOBODY: Named = { names: [], everyone: false, here: false };

/** Who is named with an `@` in a text, outside of code. */
export function namedIn(content: string): Named {
  if (!content.includes('@')) return NOBODY;
  const found = Array.from(withoutCode(content).matchAll(NAME), ([, name = '']) => formsOf(comparable(name)));
  const names = new Map(found.filter((forms) => !forms.some(isMany)).map((forms) => [forms[0], forms]));
  return {
    names: [...names.values()].filter(({ length }) => length > 0).slice(0, MAX_NAMES),
    everyone: found.some((forms) => forms.includes(EVERYONE)),
    here: found.some((forms) => forms.includes(HERE)),
  };
}

function isMany(form: string): boolean {
  return form === EVERYONE || form === HERE;
}

/** "ada.-" may be that, "ada." or "ada". */
function formsOf(name: string): string[] {
  const forms = [name];
  for (let form = name; ENDING.test(form); forms.push(form)) form = form.slice(0, -1);
  return forms.filter(({ length }) => length >= 3 && length <= 32);
}

/**
 * Without code, as CommonMark 0.31 (4.5, 6.1) finds it, and as chat programs do: three backticks open and close a
 * block in the middle of a line too. A fence that is left open goes on to the end.
 */
export function withoutCode(text: string): string {
  return withoutFences(withoutSpans(text, 3))
    .map((part) => withoutSpans(part, 1))
    .join('\n');
}

/** The parts of a text that lie outside of its fenced blocks. */
function withoutFences(text: string): string[] {
  const parts: string[][] = [[]];
  let closing: RegExp | undefined;
  for (const line of text.split('\n')) {
    const [, fence] = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/.exec(line) ?? [];
    if (closing) {
      if (closing.test(line)) closing = undefined;
    } else if (fence) {
      closing = new RegExp(`^ {0,3}${fence[0]}{${fence.length},}\\s*$`);
      parts.push([]);
    } else parts.at(-1)?.push(line);
  }
  return parts.map((lines) => lines.join('\n'));
}

/** A run of at least so many backticks opens a span where another of the same length follows; else it is text. */
function withoutSpans(text: string, atLeast: number): string {
  const runs = Array.from(text.matchAll(/`+/g), ({ 0: { length }, index }) => ({ length, index }));
  let kept = '';
  let from = 0;
  for (let i = 0; i < runs.length; i += 1) {
    const open = runs[i];
    if (!open || open.length < atLeast) continue;
    let end = i + 1;
    while (runs[end] && runs[end]?.length !== open.length) end += 1;
    const close = runs[end];
    if (!close) continue;
    kept += `${text.slice(from, open.index)} `;
    from = close.index + close.length;
    i = end;
  }
  return kept + text.slice(from);
}
