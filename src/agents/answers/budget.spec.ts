import type { Line } from './answer.js';
import { estimateTokens, withinBudget } from './budget.js';

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
