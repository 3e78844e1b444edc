import { type AnswerHeaders, retryAfter } from './retry-after.js';
import { type OutboundCode, outboundError } from '../../platform/outbound/outbound-error.js';

export interface Line {
  role: 'user' | 'assistant';
  content: string;
}

/** What an agent is asked. The last line of `history` is the one to answer. */
export interface AgentQuestion {
  agentId: string;
  sessionId: string;
  /** Who asks. */
  userId: string;
  username: string;
  /** The message to answer. */
  messageId: string;
  history: Line[];
}

/** A piece of an answer as it comes, or what the answer has cost so far in tokens, in and out; or both. */
export type AnswerPart = { text: string; tokensUsed?: number } | { tokensUsed: number };

export type AnswerFailureCode =
  | 'agent_disabled'
  | 'timed_out'
  | 'unreachable'
  | 'address_refused'
  | 'no_credential'
  | 'refused'
  | 'rate_limited'
  | 'upstream_failed'
  | 'unreadable'
  | 'empty'
  | 'too_large'
  | 'broken_off';

/**
 * Why there is no answer. `retryable` where asking again may help and cannot do anything twice, and then not before
 * `retryAfterMs` has passed.
 */
export class AnswerFailure extends Error {
  readonly retryAfterMs: number;

  constructor(
    readonly code: AnswerFailureCode,
    message: string,
    readonly retryable: boolean,
    { retryAfterMs = 0, ...options }: ErrorOptions & { retryAfterMs?: number } = {},
  ) {
    super(message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/** What somebody else says that an answer has cost; nothing where that is no such number. */
export function tokensIn(said: unknown): number | undefined {
  return typeof said === 'number' && Number.isInteger(said) && said >= 0 && said < 2 ** 31 ? said : undefined;
}

/** How a call may fail, and whether it can be made again when what is called may have side effects. */
const BY_OUTBOUND: Record<OutboundCode, [AnswerFailureCode, 'never' | 'harmless' | 'always']> = {
  not_allowed: ['address_refused', 'never'],
  redirected: ['refused', 'never'],
  encoded: ['unreadable', 'never'],
  too_large: ['too_large', 'never'],
  unreachable: ['unreachable', 'always'],
  // Who asks has waited long enough by then.
  timeout: ['timed_out', 'never'],
  broken: ['broken_off', 'harmless'],
};

/** Takes what a call or a body threw; `harmless` says that asking twice costs nothing but tokens. */
export function callFailure(error: unknown, harmless: boolean): AnswerFailure {
  const cause = outboundError(error);
  const [code, again] = BY_OUTBOUND[cause.code];
  return new AnswerFailure(code, cause.message, again === 'always' || (again === 'harmless' && harmless), {
    cause: error,
  });
}

/** Takes the status and the headers of an answer that is none. */
export function statusFailure(status: number, headers: AnswerHeaders, harmless: boolean): AnswerFailure {
  const message = `It answered with the status ${status}.`;
  const later = { retryAfterMs: retryAfter(headers) };
  if (status === 429) return new AnswerFailure('rate_limited', message, true, later);
  // 503 says that nothing was done.
  if (status >= 500) return new AnswerFailure('upstream_failed', message, harmless || status === 503, later);
  return new AnswerFailure('refused', message, false);
}
