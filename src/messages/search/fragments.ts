import { ApiProperty } from '@nestjs/swagger';
import type { Group } from './search-terms.js';
import { piecesOf } from './search-terms.js';

/** A piece of a message around what was found in it. Plain text: it must be escaped where it is shown, as content must. */
export class Fragment {
  @ApiProperty({ example: '... the quarterly report is' }) text: string;
  @ApiProperty({
    description: 'What was found: [start, end) pairs in UTF-16 units of `text`, as JavaScript counts.',
    type: 'array',
    items: { type: 'array', items: { type: 'integer' }, minItems: 2, maxItems: 2 },
    example: [[8, 17]],
  })
  marks: [number, number][];
}

const AROUND = 60;
const MOST_FRAGMENTS = 3;
const LONGEST = 300;

/** Gives up to three pieces of the text with what was looked for marked, the first of them in the order of the text. */
export function fragmentsOf(content: string, groups: Group[]): Fragment[] {
  const marks = marksIn(content, groups);
  if (marks.length === 0) return [{ text: cut(content, 0, 2 * AROUND), marks: [] }];
  const fragments: Fragment[] = [];
  for (let i = 0; i < marks.length && fragments.length < MOST_FRAGMENTS;) {
    const [start] = marks[i] as [number, number];
    const from = whole(content, Math.max(0, start - AROUND));
    const inside = marks.slice(i).filter(([, end], n) => n === 0 || end - from <= LONGEST - AROUND);
    const [, last] = inside.at(-1) as [number, number];
    const end = Math.min(last, from + LONGEST);
    fragments.push({
      text: cut(content, from, end + AROUND),
      marks: inside.map(([a, b]) => [a - from, Math.min(b, end) - from]),
    });
    i += inside.length;
  }
  return fragments;
}

/** Where the terms stand in the text, in order; what overlaps is one. */
function marksIn(content: string, groups: Group[]): [number, number][] {
  const texts = new Set(groups.flatMap(({ wanted }) => wanted.flatMap((term) => [term.text, ...piecesOf(term)])));
  // The longest first: of a phrase and its words, where both stand, the phrase is marked.
  const pattern = [...texts]
    .sort((a, b) => b.length - a.length)
    .map((text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  return [...content.matchAll(new RegExp(pattern.join('|'), 'giu'))].map(({ 0: found, index }) => [
    index,
    index + found.length,
  ]);
}

function cut(content: string, from: number, to: number): string {
  return content.slice(from, whole(content, Math.min(to, content.length)));
}

/** Steps out of the middle of a character that takes two units. */
function whole(content: string, place: number): number {
  const unit = content.charCodeAt(place);
  return unit >= 0xdc00 && unit <= 0xdfff ? place - 1 : place;
}
