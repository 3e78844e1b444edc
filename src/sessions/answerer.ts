export interface Line {
  role: 'user' | 'assistant';
  content: string;
}

/** What is asked of whoever answers in a session. */
export interface Question {
  agentId: string;
  sessionId: string;
  replyId: string;
  /** Who asks: the session's owner. */
  userId: string;
  username: string;
  /** The message to answer. */
  messageId: string;
  /** Oldest first, each question followed by what answered it; the last line is the one to answer. */
  history: Line[];
}

/** A piece of an answer as it comes, or what the answer has cost so far in tokens, in and out; or both. */
export type AnswerPart = { text: string; tokensUsed?: number } | { tokensUsed: number };

/** Why there is no answer, as clients are told it. */
export type AnswerFailureCode =
  /** It was switched off, or deleted, since the reply began. */
  | 'agent_disabled'
  /** It took too long. */
  | 'timed_out'
  /** Nobody there: no such name, no connection. */
  | 'unreachable'
  /** The address is one that must not be called. */
  | 'address_refused'
  /** There is no key to call it with. */
  | 'no_credential'
  /** It answered 4xx; 429; 5xx. */
  | 'refused'
  | 'rate_limited'
  | 'upstream_failed'
  /** What it answered could not be understood, held nothing, was too much, or broke off half-way. */
  | 'unreadable'
  | 'empty'
  | 'too_large'
  | 'broken_off';

/** What an answerer throws: an error that says why, whether asking again may help, and how long not to. */
export interface AnswerFailure extends Error {
  code: AnswerFailureCode;
  retryable: boolean;
  /** Nothing where it does not say. */
  retryAfterMs: number;
}

/** Who answers. Sessions own this interface and know no agent; app.module says who stands behind it. */
export abstract class Answerer {
  /**
   * Gives the answer piece by piece, and ends at its end. When `signal` is aborted (stopped, out of time, taken over) it
   * ends the call at once; what it throws then is not looked at. Throws an AnswerFailure, at the beginning or on the
   * way; anything else is our own fault.
   */
  abstract answer(question: Question, signal: AbortSignal): Promise<AsyncIterable<AnswerPart>>;
}
