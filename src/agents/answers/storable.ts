import type { AnswerPart } from './answer.js';

/** Takes out of an answer what PostgreSQL cannot store: NUL, and halves of characters. A character may be split between two pieces. */
export async function* storable(parts: AsyncIterable<AnswerPart>): AsyncGenerator<AnswerPart> {
  let half = '';
  for await (const part of parts) {
    if (!('text' in part)) {
      yield part;
      continue;
    }
    const text = half + part.text.replaceAll('\u0000', '');
    half = /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : '';
    const whole = wellFormed(half === '' ? text : text.slice(0, -1));
    if (whole !== '') yield { text: whole };
  }
}

function wellFormed(text: string): string {
  return (text as string & { toWellFormed(): string }).toWellFormed();
}
