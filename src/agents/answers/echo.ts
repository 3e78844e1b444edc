import { setTimeout as sleep } from 'node:timers/promises';
import type { AnswerPart } from './answer.js';

const PACE = /^\/slow (\d{1,4})\s+/;

/** Says what was said, word by word. `/slow 200 ...` takes 200 ms for each word: for seeing what a stream looks like. */
export async function* echo(said: string, signal: AbortSignal): AsyncGenerator<AnswerPart> {
  const pace = Number(PACE.exec(said)?.[1] ?? 0);
  for (const word of said.replace(PACE, '').match(/\s*\S+\s*/g) ?? []) {
    if (pace > 0) await sleep(pace, undefined, { signal });
    yield { text: word };
  }
  yield { tokensUsed: 0 };
}
