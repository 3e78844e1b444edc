import { Injectable, Logger } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { AccessService } from '../../access/access.service.js';
import type { AnsweringAgent } from '../../access/pass.js';
import { type AnswerFailure, Answerer, type AnswerPart, type Question } from '../answerer.js';
import { type FailureCode, isOutage, ReplyEnding } from './reply-ending.js';
import { ReplyQuestion } from './reply-question.js';
import type { ReplyRun } from './reply-run.js';
import type { TakenReply } from './reply-store.js';

/** How often a reply is taken up before it counts as something that ends nodes. */
const MAX_ATTEMPTS = 4;
const TRIES = 3;
const BACKOFF_MS = 500;
/** Somebody waits for the answer: what wants to be left alone for longer has failed, and they may ask again. */
const LONGEST_WAIT_MS = 30_000;
const LIMIT_MS = 10 * 60_000;

type Failure = Pick<AnswerFailure, 'retryable' | 'retryAfterMs'> & { code: FailureCode };

/** One attempt at a reply, from the question to the stored answer. */
@Injectable()
export class Speaking {
  private readonly logger = new Logger(Speaking.name);

  constructor(
    private readonly access: AccessService,
    private readonly answerer: Answerer,
    private readonly questions: ReplyQuestion,
    private readonly ending: ReplyEnding,
  ) {}

  /** Never throws: what goes wrong becomes the state of the reply. */
  async speak(run: ReplyRun): Promise<void> {
    const limit = setTimeout(() => run.leave('late'), LIMIT_MS).unref();
    try {
      await this.answer(run);
    } catch (error) {
      this.logger.error({ err: error as Error, ...idsOf(run) }, 'a reply went wrong');
      // Another node takes it up; or we do once its lease has run out, where the database went away before it was asked.
      if (run.left === 'handed_back' || isOutage(error)) return;
      await this.ending.failed(run, 'internal').catch((failure: unknown) => {
        this.logger.error({ err: failure as Error, ...idsOf(run) }, 'a failed reply could not be marked');
      });
    } finally {
      clearTimeout(limit);
    }
  }

  private async answer(run: ReplyRun): Promise<void> {
    const { reply } = run;
    const hindrance = hindranceTo(reply);
    if (hindrance || !reply.agentId) return this.ending.failed(run, hindrance ?? 'agent_disabled');
    const agent = await this.access.enterAsAgent(reply.agentId, reply.sessionId);
    if (reply.stopRequested) return this.stopBefore(run, agent);
    const question = await this.questions.of(reply, reply.agentId);
    if (!question) return this.ending.stopped(run);
    this.ending.announce(reply, 'running');
    const failure = await this.listen(run, question);
    run.flush();
    if (run.left === 'lost' || run.left === 'handed_back') return;
    if (run.left === 'stopped') return this.ending.said(run, agent, 'stopped');
    if (run.left === 'late') return this.ending.failed(run, 'timed_out');
    if (failure) return this.ending.failed(run, failure.code);
    return this.ending.said(run, agent, 'done');
  }

  /** Its node ended between the wish to stop it and the end: what it had said by then is kept. */
  private async stopBefore(run: ReplyRun, agent: AnsweringAgent): Promise<void> {
    run.add(run.reply.text);
    run.flush();
    await this.ending.said(run, agent, 'stopped');
  }

  /** Tries again after a while where that may help and nothing was said yet: what was heard cannot be taken back. */
  private async listen(run: ReplyRun, question: Question): Promise<Failure | undefined> {
    for (let tries = 1; ; tries += 1) {
      const failure = await this.listenOnce(run, question);
      if (!failure || run.signal.aborted) return undefined;
      this.logger.warn({ ...idsOf(run), code: failure.code, tries }, 'an agent did not answer');
      if (!failure.retryable || run.text !== '' || tries === TRIES) return failure;
      if (failure.retryAfterMs > LONGEST_WAIT_MS) return failure;
      const wait = Math.max(BACKOFF_MS * 4 ** (tries - 1), failure.retryAfterMs);
      await sleep(wait, undefined, { signal: run.signal }).catch(() => undefined);
    }
  }

  private async listenOnce(run: ReplyRun, question: Question): Promise<Failure | undefined> {
    try {
      const parts = await this.answerer.answer(question, run.signal);
      await untilAborted(parts, run.signal, (part) => {
        if ('text' in part) run.add(part.text);
        run.tokensUsed = part.tokensUsed ?? run.tokensUsed;
      });
    } catch (error) {
      return this.failureOf(error, run);
    }
    return run.text.trim() === '' ? failureAs('empty') : undefined;
  }

  private failureOf(error: unknown, run: ReplyRun): Failure {
    if (isFailure(error)) return error;
    if (isOutage(error)) throw error;
    if (!run.signal.aborted) this.logger.error({ err: error as Error, ...idsOf(run) }, 'an answerer failed');
    return failureAs('internal');
  }
}

function hindranceTo({ attempt, open, enabled }: TakenReply): FailureCode | undefined {
  if (attempt > MAX_ATTEMPTS) return 'interrupted';
  if (!open) return 'session_closed';
  return enabled ? undefined : 'agent_disabled';
}

/**
 * Takes piece by piece, and ends with the signal also where an answerer does not listen to it. By hand: a race of two
 * promises for each piece would keep them all until the signal is gone.
 */
async function untilAborted(
  parts: AsyncIterable<AnswerPart>,
  signal: AbortSignal,
  take: (part: AnswerPart) => void,
): Promise<void> {
  const iterator = parts[Symbol.asyncIterator]();
  let leave = (): void => undefined;
  signal.addEventListener('abort', () => leave());
  while (!signal.aborted) {
    const next = await new Promise<IteratorResult<AnswerPart> | undefined>((resolve, reject) => {
      leave = () => resolve(undefined);
      iterator.next().then(resolve, reject);
    });
    if (!next || next.done) break;
    take(next.value);
  }
  if (signal.aborted) void Promise.resolve(iterator.return?.()).catch(() => undefined);
}

function failureAs(code: FailureCode): Failure {
  return { code, retryable: false, retryAfterMs: 0 };
}

function isFailure(error: unknown): error is AnswerFailure {
  return error instanceof Error && 'code' in error && 'retryable' in error && typeof error.retryable === 'boolean';
}

function idsOf({ reply: { id, sessionId, attempt } }: ReplyRun): object {
  return { replyId: id, sessionId, attempt };
}
