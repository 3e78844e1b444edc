import { createParser } from 'eventsource-parser';
import OpenAI, { APIConnectionTimeoutError, APIError } from 'openai';
import type { ChatCompletionChunk, ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions';
import { type Outbound } from '../../platform/outbound/outbound.js';
import type { Agent } from '../agent.entity.js';
import { type AgentQuestion, AnswerFailure, type AnswerPart, callFailure, statusFailure, tokensIn } from './answer.js';
import { estimateTokens, withinBudget } from './budget.js';
import { OpenAiWire } from './openai-wire.js';

const MAX_ANSWER_CHARACTERS = 1024 * 1024;
const DONE = '[DONE]';

/** Asks an OpenAI-compatible endpoint, and gives its answer as it is written. Asking twice costs nothing but tokens. */
export async function* askOpenAi(
  outbound: Outbound,
  agent: Agent & { model: string },
  apiKey: string,
  question: AgentQuestion,
  signal: AbortSignal,
): AsyncGenerator<AnswerPart> {
  const request = requestFor(agent, question);
  const asked = estimateTokens(JSON.stringify(request.messages));
  let said = 0;
  let tokensUsed: number | undefined;
  let ended = false;
  try {
    const wire = new OpenAiWire(outbound);
    const client = new OpenAI({
      apiKey,
      baseURL: agent.url,
      organization: null,
      project: null,
      maxRetries: 0,
      fetch: wire.fetch,
      logLevel: 'off',
    });
    await client.chat.completions.create(request, { signal }).asResponse();
    for await (const data of eventsIn(wire.body)) {
      if (data === DONE) {
        ended ||= said > 0;
        // Nothing comes after it, and some leave the connection open.
        break;
      }
      const chunk = chunkOf(data, said === 0);
      const [choice] = Array.isArray(chunk.choices) ? chunk.choices : [];
      const text = textOf(choice);
      said += text.length;
      if (said > MAX_ANSWER_CHARACTERS) throw new AnswerFailure('too_large', 'Its answer is over 1 MiB.', false);
      // The estimate counts where nobody hears the end of it, which says what it has cost.
      if (text !== '') yield { text, tokensUsed: asked + estimateWords(said) };
      tokensUsed = tokensIn(chunk.usage?.total_tokens) ?? tokensUsed;
      // Some tell with each piece what it has cost so far: only by itself is that the end.
      ended ||= Boolean(choice?.finish_reason) || (chunk.usage != null && !choice);
    }
    if (!ended) throw new AnswerFailure('broken_off', 'It stopped in the middle of its answer.', said === 0);
    if (said === 0) throw new AnswerFailure('empty', 'It answered with nothing.', false);
  } catch (error) {
    signal.throwIfAborted();
    // What goes wrong behind the end of an answer takes nothing away from it.
    if (!ended || said === 0) throw failureOf(error, said === 0);
  }
  yield { tokensUsed: tokensUsed ?? asked + estimateWords(said) };
}

function requestFor(agent: Agent & { model: string }, question: AgentQuestion): ChatCompletionCreateParamsStreaming {
  const { model, systemPrompt, contextTokens, maxTokens, temperature } = agent;
  const history = withinBudget(question.history, systemPrompt, contextTokens);
  const prompt = systemPrompt === null ? [] : [{ role: 'system' as const, content: systemPrompt }];
  return {
    model,
    messages: [...prompt, ...history],
    stream: true,
    stream_options: { include_usage: true },
    ...(temperature === null ? {} : { temperature }),
    // OpenAI has renamed it, and its newest models know the new name only; other endpoints know the old one.
    ...(maxTokens === null
      ? {}
      : agent.url === null
        ? { max_completion_tokens: maxTokens }
        : { max_tokens: maxTokens }),
  };
}

/** The events of a stream, also the last one where the empty line after it is missing. */
async function* eventsIn(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let events: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => events.push(data) });
  for await (const bytes of body) {
    parser.feed(decoder.decode(bytes, { stream: true }));
    yield* events;
    events = [];
  }
  parser.feed('\n\n');
  yield* events;
}

function textOf(choice: Partial<ChatCompletionChunk.Choice> | null | undefined): string {
  const text: unknown = choice?.delta?.content ?? '';
  if (typeof text !== 'string') throw new SyntaxError('a piece of text is none');
  return text;
}

/** What comes over the line has the form that it has. */
function chunkOf(data: string, harmless: boolean): Partial<ChatCompletionChunk> {
  const chunk = JSON.parse(data) as (Partial<ChatCompletionChunk> & { error?: unknown }) | null;
  if (chunk === null) throw new SyntaxError('a chunk is null');
  if (chunk.error == null) return chunk;
  throw new AnswerFailure('upstream_failed', 'It reported an error while it answered.', harmless);
}

function failureOf(error: unknown, harmless: boolean): AnswerFailure {
  for (let each = error; each instanceof Error; each = each.cause) if (each instanceof AnswerFailure) return each;
  if (error instanceof APIError && typeof error.status === 'number') {
    return statusFailure(error.status, Object.fromEntries((error.headers as Headers | undefined) ?? []), harmless);
  }
  if (error instanceof APIConnectionTimeoutError) {
    return new AnswerFailure('timed_out', 'It did not answer in time.', false);
  }
  // What the network does has a cause; without one it is the form of what came.
  if (error instanceof SyntaxError || (error instanceof TypeError && error.cause === undefined)) {
    return new AnswerFailure('unreadable', 'Its stream has not the form of a chat completion.', false);
  }
  return callFailure(error, harmless);
}

function estimateWords(characters: number): number {
  return Math.ceil(characters / 4);
}
