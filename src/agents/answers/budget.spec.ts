import type { Line } from './answer.js';
import { estimateTokens, withinBudget } from './budget.js';
import { storable } from './storable.js';

const user = (content: string): Line => ({ role: 'user', content });
const assistant = (content: string): Line => ({ role: 'assistant', content });

describe('what a model is shown of a conversation', () => {
  const history = [user('a'.repeat(400)), assistant('b'.repeat(400)), user('c'.repeat(400)), user('d'.repeat(400))];
  const each = estimateTokens('a'.repeat(400));

  it('is all of it where it fits', () => {
    expect(withinBudget(history, null, 4 * each)).toEqual(history);
  });

  it('is the newest of it where it does not, beginning with a person', () => {
    expect(withinBudget(history, null, 4 * each - 1)).toEqual(history.slice(2));
    expect(withinBudget(history, null, 2 * each)).toEqual(history.slice(2));
    expect(withinBudget(history, null, 2 * each - 1)).toEqual(history.slice(3));
  });

  it('leaves room for the prompt', () => {
    expect(withinBudget(history, 'p'.repeat(400), 4 * each)).toEqual(history.slice(2));
  });

  it('holds the line to answer, whatever its size', () => {
    expect(withinBudget(history, 'p'.repeat(4000), 1)).toEqual(history.slice(3));
    expect(withinBudget([], null, 100)).toEqual([]);
  });

  it('is counted in bytes, since other scripts take more tokens', () => {
    expect(estimateTokens('日本語')).toBeGreaterThan(estimateTokens('abc'));
  });
});

describe('what is stored of an answer', () => {
  const stored = async (...texts: string[]) => {
    const said: string[] = [];
    const parts = async function* () {
      for (const text of texts) yield { text };
      yield { tokensUsed: 7 };
    };
    for await (const part of storable(parts())) said.push('text' in part ? part.text : `${part.tokensUsed} tokens`);
    return said;
  };

  it('is what was said', async () => expect(await stored('Hello, ', 'Ada')).toEqual(['Hello, ', 'Ada', '7 tokens']));

  it('has no NUL and no half of a character', async () => {
    expect(await stored('a\u0000b', '\u0000', 'x\ude00y')).toEqual(['ab', 'x\ufffdy', '7 tokens']);
  });

  it('joins a character that came in two pieces', async () => {
    expect(await stored('so \ud83d', '\ude00!')).toEqual(['so ', '\ud83d\ude00!', '7 tokens']);
    expect(await stored('so \ud83d', 'no')).toEqual(['so ', '\ufffdno', '7 tokens']);
  });
});
