import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { AccessService } from '../access/access.service.js';
import type { AnsweringAgent } from '../access/pass.js';
import { HistoryService } from '../messages/history.service.js';
import { MessageStored } from '../messages/messages.events.js';
import { MessagesService } from '../messages/messages.service.js';
import { EventBus } from '../platform/events/event-bus.js';
import { Answerer, type Question } from './answerer.js';
import { ReplyStore, type RunningReply } from './reply-store.js';

/** What an agent is shown of what was said before. */
const HISTORY = 50;
const AT_ONCE = 256;
const POLL_MS = 1_000;
const LIMIT_MS = 10 * 60_000;

/**
 * Lets the agent answer what a person says in an agent session. Each reply is a row that was stored with the message
 * that asks, so it is found however the app ended meanwhile, and it ends in the commit that stores the answer.
 */
@Injectable()
export class RepliesService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(RepliesService.name);
  private readonly running = new Set<Promise<void>>();
  private poll: NodeJS.Timeout | undefined;
  private stopping = false;

  constructor(
    private readonly access: AccessService,
    private readonly history: HistoryService,
    private readonly messages: MessagesService,
    private readonly answerer: Answerer,
    private readonly store: ReplyStore,
    bus: EventBus,
  ) {
    bus.on(MessageStored, ({ replyId }) => {
      if (replyId !== null) void this.takeUp();
    });
  }

  onApplicationBootstrap(): void {
    this.poll = setInterval(() => void this.takeUp(), POLL_MS).unref();
    void this.takeUp();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping = true;
    clearInterval(this.poll);
    await Promise.all(this.running);
  }

  private async takeUp(): Promise<void> {
    const room = AT_ONCE - this.running.size;
    if (this.stopping || room <= 0) return;
    try {
      for (const reply of await this.store.claim(room)) this.start(reply);
    } catch (error) {
      this.logger.warn({ err: error as Error }, 'no reply could be taken up');
    }
  }

  private start(reply: RunningReply): void {
    const done = this.reply(reply).finally(() => {
      this.running.delete(done);
      void this.takeUp();
    });
    this.running.add(done);
  }

  private async reply(reply: RunningReply): Promise<void> {
    const { id, sessionId, agentId, attempt } = reply;
    try {
      if (!agentId || !reply.enabled) return await this.store.fail(reply, 'agent_disabled');
      if (!reply.open) return await this.store.fail(reply, 'session_closed');
      const pass = await this.access.enterAsAgent(agentId, sessionId);
      const { userId, username, askedId: messageId } = reply;
      const history = await this.historyUpTo(pass, messageId);
      const question = { agentId, sessionId, replyId: id, userId, username, messageId, history };
      const { content, tokensUsed } = await this.whole(question);
      await this.messages.append(pass, {
        content,
        tokensUsed,
        nonce: `reply:${id}`,
        reply: { id, attempt, status: 'done' },
      });
    } catch (error) {
      this.logger.warn({ err: error as Error, sessionId, replyId: id }, 'an agent did not answer');
      await this.store.fail(reply, 'internal').catch(() => undefined);
    }
  }

  private async whole(question: Question): Promise<{ content: string; tokensUsed: number }> {
    const whole = { content: '', tokensUsed: 0 };
    for await (const part of this.answerer.answer(question, AbortSignal.timeout(LIMIT_MS))) {
      if ('text' in part) whole.content += part.text;
      else whole.tokensUsed = part.tokensUsed;
    }
    return whole;
  }

  private async historyUpTo(pass: AnsweringAgent, messageId: string) {
    const asked = await this.history.find(pass.room.id, messageId);
    const { items } = await this.history.page(pass, { before: asked.seq + 1 }, HISTORY);
    return items.flatMap(({ role, content }) =>
      content === null ? [] : [{ role: role === 'agent' ? ('assistant' as const) : ('user' as const), content }],
    );
  }
}
