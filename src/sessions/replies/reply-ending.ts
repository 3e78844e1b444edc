import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AnsweringAgent } from '../../access/pass.js';
import { ConversationUpdated } from '../../conversations/conversations.events.js';
import { AnswerAgain } from '../../messages/answer-again.js';
import { MessagesService } from '../../messages/messages.service.js';
import { EventBus } from '../../platform/events/event-bus.js';
import { problemOf } from '../../platform/http/problem.filter.js';
import type { AnswerFailureCode } from '../answerer.js';
import type { ReplyStatus } from './reply.entity.js';
import type { ReplyRun } from './reply-run.js';
import { ReplyStore, type TakenReply } from './reply-store.js';

/** What an answerer says, and what the house itself has to say. */
export type FailureCode = AnswerFailureCode | 'interrupted' | 'session_closed' | 'internal';

const RETRY_MS = 1_000;

/** How a reply ends, and how others hear of it. */
@Injectable()
export class ReplyEnding {
  constructor(
    private readonly messages: MessagesService,
    private readonly again: AnswerAgain,
    private readonly store: ReplyStore,
    private readonly bus: EventBus,
  ) {}

  /**
   * Stores what was said, with the end of the reply in the same commit. Tries for as long as the database is away and
   * the attempt is ours: what was said is not to be lost.
   */
  async said(run: ReplyRun, agent: AnsweringAgent, status: 'done' | 'stopped'): Promise<void> {
    if (run.text.trimEnd() === '') return this.stopped(run);
    let { replacesId } = run.reply;
    let isDoubtful = false;
    for (;;) {
      try {
        await this.keep(run, agent, status, replacesId);
        return this.announce(run.reply, status);
      } catch (error) {
        const { status: httpStatus, code } = problemOf(error);
        if (code === 'reply_over') return isDoubtful ? this.tellIfEnded(run.reply, status) : undefined;
        if (code === 'message_deleted' || (replacesId && httpStatus === 404)) replacesId = null;
        else if (httpStatus === 404) return this.stopped(run);
        else await this.sleepOver(error, run);
        isDoubtful ||= isOutage(error);
      }
    }
  }

  failed(run: ReplyRun, error: FailureCode): Promise<void> {
    return this.end(run, 'failed', error);
  }

  /** Without a message: nothing was said, or nobody is there to say it to. */
  stopped(run: ReplyRun): Promise<void> {
    return this.end(run, 'stopped', null);
  }

  /** Tries as `said` does: whoever found the reply without its end would ask the agent once more. */
  private async end(run: ReplyRun, status: 'failed' | 'stopped', error: FailureCode | null): Promise<void> {
    for (let isDoubtful = false; ; isDoubtful = true) {
      try {
        const ended = await this.store.end(run.reply, status, error, run.text);
        if (ended) return this.announce(run.reply, status, error);
        return isDoubtful ? await this.tellIfEnded(run.reply, status, error) : undefined;
      } catch (failure) {
        await this.sleepOver(failure, run);
      }
    }
  }

  /** A try that failed may have been committed all the same. */
  private async tellIfEnded(
    reply: TakenReply,
    status: 'done' | 'stopped' | 'failed',
    error: FailureCode | null = null,
  ): Promise<void> {
    if (await this.store.hasEnded(reply, status)) this.announce(reply, status, error);
  }

  /** Throws what is no outage of the database, and where the attempt is not ours any more. */
  private async sleepOver(error: unknown, { left }: ReplyRun): Promise<void> {
    if (!isOutage(error) || left === 'lost' || left === 'handed_back') throw error;
    await sleep(RETRY_MS);
  }

  announce({ sessionId, userId, id }: TakenReply, status: ReplyStatus, error: FailureCode | null = null): void {
    const reply = { id, status, error };
    this.bus.publish(ConversationUpdated([`user:${userId}`], { conversation: { id: sessionId, reply } }));
  }

  private async keep(
    { reply: { id, attempt }, text, tokensUsed, cut }: ReplyRun,
    agent: AnsweringAgent,
    status: 'done' | 'stopped',
    replacesId: string | null,
  ): Promise<void> {
    const marks = { ...(status === 'stopped' && { stopped: true }), ...(cut && { truncated: true }) };
    const answer = {
      content: text.trimEnd(),
      metadata: { replyId: id, ...marks },
      tokensUsed,
      reply: { id, attempt, status },
    };
    if (replacesId) await this.again.instead(agent, replacesId, answer);
    else await this.messages.append(agent, { ...answer, nonce: `reply:${id}` });
  }
}

/** Whether the database is away for now, or has no room left: what was to be done can be done later. */
export function isOutage(error: unknown): boolean {
  const { status } = problemOf(error);
  return status === 503 || status === 507;
}
