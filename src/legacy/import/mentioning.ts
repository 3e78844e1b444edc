/** No text of an old system has it any more when it comes here: what cannot be stored is replaced before. */
const MARK = '\u0000';
const MARKED = new RegExp(`${MARK}([^${MARK}]+)${MARK}`, 'g');
const RUNS_ON = new RegExp(`^(${MARK}|[_.-]*[\\p{L}\\p{N}])`, 'u');

/** What stands for a person in a text until it is known how they are called here. */
export function mentionOf(id: string): string {
  return `${MARK}${id}${MARK}`;
}

/** Who is mentioned by their id. */
export function mentionedIn(text: string): string[] {
  return text.includes(MARK) ? [...new Set(Array.from(text.matchAll(MARKED), ([, id = '']) => id))] : [];
}

/** The text with `@` and the name of each, set apart from what would make another name of it. */
export function withMentions(text: string, nameOf: (id: string) => string): string {
  return text.replace(MARKED, (mark, id: string, at: number) => {
    const before = /[\p{L}\p{N}/@+-]$/u.test(text.slice(Math.max(0, at - 2), at)) ? ' ' : '';
    const after = RUNS_ON.test(text.slice(at + mark.length, at + mark.length + 50)) ? ' ' : '';
    return `${before}@${nameOf(id)}${after}`;
  });
}
