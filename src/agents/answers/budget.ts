import type { Line } from './answer.js';

const LINE_TOKENS = 4;

/** Four bytes are a token, about: near enough for a budget, and the same for every model. */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4) + LINE_TOKENS;
}

/**
 * Takes the newest lines that fit into the budget beside the prompt, beginning with a person's. The last one, which is
 * to be answered, stays whatever its size.
 */
export function withinBudget(history: readonly Line[], prompt: string | null, tokens: number): Line[] {
  let left = tokens - (prompt === null ? 0 : estimateTokens(prompt));
  let from = history.length;
  for (const line of [...history].reverse()) {
    left -= estimateTokens(line.content);
    if (left < 0 && from < history.length) break;
    from -= 1;
  }
  const kept = history.slice(from);
  const first = kept.findIndex(({ role }) => role === 'user');
  return first > 0 ? kept.slice(first) : kept;
}
