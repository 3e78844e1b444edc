import { Problem } from '../../platform/http/problem.js';

/** One thing that is looked for. */
export interface Term {
  /** In lower case, without its quotes. */
  text: string;
  /** In quotes: its words stand next to each other. */
  phrase: boolean;
}

/** All of `wanted` and none of `unwanted`. */
export interface Group {
  wanted: Term[];
  unwanted: string[];
}

const MAX_TERMS = 20;

/** Thai, Lao, Burmese, Khmer, Chinese, Japanese and emoji: where a space does not tell one word from the next. */
const WITHOUT_SPACES =
  /[\u0E00-\u0EFF\u1000-\u109F\u1780-\u17FF\u2600-\u27BF\u2E80-\uA4CF\uF900-\uFAFF\uFF66-\uFF9F\u{1F000}-\u{3FFFF}]/u;

/**
 * Reads a query as websearch_to_tsquery does: words, "phrases", -without, and `or` between alternatives.
 * Throws 400 for one that looks for nothing, or for more than 20 things.
 */
export function readTerms(query: string): Group[] {
  const groups: Group[] = [{ wanted: [], unwanted: [] }];
  let count = 0;
  for (const [, minus, quoted, word] of query.toLowerCase().matchAll(/(-?)(?:"([^"]*)"?|([^\s"]+))/g)) {
    const text = (quoted ?? word ?? '').trim();
    if (text === '' || text === '-') continue;
    const group = groups.at(-1) as Group;
    if (text === 'or' && quoted === undefined && !minus) groups.push({ wanted: [], unwanted: [] });
    else if (minus) group.unwanted.push(text);
    else group.wanted.push({ text, phrase: quoted !== undefined && /\s/.test(text) });
    count += 1;
  }
  const meant = groups.filter(({ wanted, unwanted }) => wanted.length + unwanted.length > 0);
  if (meant.length === 0) throw Problem.invalid('q', 'must hold something to look for');
  if (meant.some(({ wanted }) => wanted.length === 0)) {
    throw Problem.invalid('q', 'must say what to look for, not only what to leave out');
  }
  if (count > MAX_TERMS) throw Problem.invalid('q', `must look for at most ${MAX_TERMS} things`);
  return meant;
}

/** What must stand in a text for the term to be in it, as its letters alone; more is asked later. */
export function piecesOf({ text, phrase }: Term): string[] {
  if (!phrase) return [text];
  const pieces = text.split(/[^\p{L}\p{M}\p{N}]+/u).filter((piece) => piece !== '');
  return pieces.length > 0 ? pieces : [text];
}

/** True where words cannot be told apart by spaces, so that only the letters themselves can be looked for. */
export function isWithoutSpaces({ text }: Term): boolean {
  return WITHOUT_SPACES.test(text);
}

/** A trigram, or a pair beyond ASCII, can be looked up; less than that is only found by reading. */
export function canBeLookedUp({ text }: Term): boolean {
  return /[a-z0-9]{3}/.test(text) || pairsOf(text).length > 0;
}

/** The pairs beyond ASCII that a text with this in it has in its index, as a tsquery; empty where there are none. */
export function pairsOf(text: string): string {
  const runs = text.match(/[^\x00-\x7F]+/g) ?? []; // eslint-disable-line no-control-regex
  return runs.flatMap((run) => pairsOfRun([...run])).join(' & ');
}

function pairsOfRun(letters: string[]): string[] {
  if (letters.length === 1) return [`${lexeme(letters[0] as string)}:*`];
  return letters.slice(1).map((letter, i) => lexeme(`${letters[i] ?? ''}${letter}`));
}

function lexeme(pair: string): string {
  return `'=${pair.replace(/['\\]/g, '$&$&')}'`;
}

/** A LIKE pattern for a text that holds this. */
export function holding(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}
