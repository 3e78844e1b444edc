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

/** What becomes a fragment: where it begins, and what was found in it, both in the whole text. */
interface Piece {
  from: number;
  marks: [number, number][];
}

const AROUND = 60;
const MOST_FRAGMENTS = 3;
const LONGEST = 300;

/** Gives up to three pieces of the text with what was looked for marked, the first of them in the order of the text. */
export function fragmentsOf(content: string, groups: Group[]): Fragment[] {
  const pieces = piecesOfText(content, groups);
  if (pieces.length === 0) return [{ text: cut(content, 0, 2 * AROUND), marks: [] }];
  return pieces.map(({ from, marks }) => {
    const end = Math.min(marks.at(-1)?.[1] ?? from, from + LONGEST);
    return {
      text: cut(content, from, end + AROUND),
      marks: marks.map(([a, b]) => [a - from, Math.min(b, end) - from]),
    };
  });
}

/** Looks no further than it shows: a letter stands 20,000 times in a message, and a page has 100 of these. */
function piecesOfText(content: string, groups: Group[]): Piece[] {
  const pieces: Piece[] = [];
  for (const [start, end] of marksIn(content, groups)) {
    const piece = pieces.at(-1);
    if (piece && end - piece.from <= LONGEST - AROUND) piece.marks.push([start, end]);
    else if (pieces.length === MOST_FRAGMENTS) break;
    else pieces.push({ from: whole(content, Math.max(0, start - AROUND)), marks: [[start, end]] });
  }
  return pieces;
}

/** Where the terms stand in the text, in order; what overlaps is one. */
function* marksIn(content: string, groups: Group[]): Generator<[number, number]> {
  const texts = new Set(groups.flatMap(({ wanted }) => wanted.flatMap((term) => [term.text, ...piecesOf(term)])));
  // The longest first: of a phrase and its words, where both stand, the phrase is marked.
  const pattern = [...texts]
    .sort((a, b) => b.length - a.length)
    .map((text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  for (const { 0: found, index } of content.matchAll(new RegExp(pattern.join('|'), 'giu')))
    yield [index, index + found.length];
}

function cut(content: string, from: number, to: number): string {
  return content.slice(from, whole(content, Math.min(to, content.length)));
}

/** Steps out of the middle of a character that takes two units. */
function whole(content: string, place: number): number {
  const unit = content.charCodeAt(place);
  return unit >= 0xdc00 && unit <= 0xdfff ? place - 1 : place;
}
