import { discard, type Outbound } from '../../platform/outbound/outbound.js';
import type { Agent } from '../agent.entity.js';
import { AnswerFailure, type AgentQuestion, type AnswerPart, callFailure, statusFailure, tokensIn } from './answer.js';
import { withinBudget } from './budget.js';

const FIELDS = ['reply', 'output', 'text', 'message'] as const;

/**
 * Asks an HTTP endpoint such as an n8n workflow. What it does may be done twice by a second call, so it is called again
 * only where it said, or cannot but have, done nothing.
 */
export async function* askWebhook(
  outbound: Outbound,
  agent: Agent & { url: string },
  key: string | undefined,
  question: AgentQuestion,
  signal: AbortSignal,
): AsyncGenerator<AnswerPart> {
  const { text, isJson } = await call(outbound, agent, key, question, signal);
  const answer = understand(text, isJson);
  yield { text: answer.text };
  yield { tokensUsed: answer.tokensUsed };
}

async function call(
  outbound: Outbound,
  agent: Agent & { url: string },
  key: string | undefined,
  question: AgentQuestion,
  signal: AbortSignal,
): Promise<{ text: string; isJson: boolean }> {
  try {
    const answer = await outbound.call(agent.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/plain',
        'user-agent': 'Parley',
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify(bodyOf(agent, question)),
      signal,
    });
    const type = String(answer.headers['content-type']);
    const streams = /^text\/event-stream/.test(type);
    if (answer.ok && !streams) return { text: await answer.body.text(), isJson: /[/+]json/.test(type) };
    discard(answer.body);
    if (answer.ok) throw new AnswerFailure('unreadable', 'Its answer is an event stream, not a text.', false);
    throw statusFailure(answer.status, answer.headers, false);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof AnswerFailure ? error : callFailure(error, false);
  }
}

function bodyOf({ slug, systemPrompt, contextTokens }: Agent, question: AgentQuestion): object {
  const { sessionId, userId, username, messageId } = question;
  const history = withinBudget(question.history, systemPrompt, contextTokens);
  const chatInput = history.at(-1)?.content ?? '';
  return { sessionId, userId, username, agent: slug, chatInput, messageId, history: history.slice(0, -1) };
}

/** n8n answers as JSON or as text, and as text also what is JSON. */
function understand(text: string, isJson: boolean): { text: string; tokensUsed: number } {
  const value = isJson || /^\s*[[{]/.test(text) ? parse(text, isJson) : text;
  const first: unknown = Array.isArray(value) ? value[0] : value;
  const said = typeof first === 'string' ? first : sayingOf(first);
  if (said === undefined || /^\s*<(!doctype|html)\b/i.test(said)) {
    throw new AnswerFailure('unreadable', 'Its answer is neither text nor JSON with a known field.', false);
  }
  if (said.trim() === '') throw new AnswerFailure('empty', 'It answered with nothing.', false);
  return { text: said, tokensUsed: tokensOf(first) };
}

function parse(text: string, isJson: boolean): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    if (isJson && text.trim() !== '') throw new AnswerFailure('unreadable', 'Its answer is not valid JSON.', false);
    return text;
  }
}

function sayingOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  const given = FIELDS.map((name) => fields[name]).filter((said) => typeof said === 'string');
  return given.find((said) => said.trim() !== '') ?? given[0];
}

function tokensOf(value: unknown): number {
  return (typeof value === 'object' && value !== null && 'tokensUsed' in value && tokensIn(value.tokensUsed)) || 0;
}
