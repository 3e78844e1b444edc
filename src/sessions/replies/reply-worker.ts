import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConversationCleared, ConversationDeleted } from '../../conversations/conversations.events.js';
import { MessageStored } from '../../messages/messages.events.js';
import { EventBus } from '../../platform/events/event-bus.js';
import { LiveReplies } from './live-replies.js';
import type { ReplyRun } from './reply-run.js';
import { AgentSilenced, ReplyStopWanted } from './replies.events.js';
import { ReplyStore, type TakenReply } from './reply-store.js';
import { Speaking } from './speaking.js';

const AT_ONCE = 1024;
/** How often a node looks for what it was not woken for, keeps what was said, and shows that it lives. */
const BEAT_MS = 1_000;
/** What is said is kept share by share within that time: hundreds of texts at once would be a burst that others wait behind. */
const SHARES = 5;
/** What is nearly done may be finished before the app ends; what is not goes to another node. */
const FINISH_MS = 2_000;

const LOST = { ours: false, wasKept: false, stopRequested: false };

/**
 * Takes up replies and gives them. A message wakes it in the same process, once it is committed; whatever that misses
 * (a node that died, another node's messages) it finds by looking.
 */
@Injectable()
export class ReplyWorker implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  private readonly logger = new Logger(ReplyWorker.name);
  private readonly speeches = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | undefined;
  private beats = 0;
  private readonly keeping = new Set<number>();
  private takingOver = false;
  private claiming = false;
  private woken = false;
  private stopping = false;

  constructor(
    private readonly store: ReplyStore,
    private readonly live: LiveReplies,
    private readonly speaking: Speaking,
    bus: EventBus,
  ) {
    bus.on(MessageStored, ({ replyId }) => {
      if (replyId !== null) this.wake();
    });
    bus.on(ReplyStopWanted, ({ replyId }) => this.live.get(replyId)?.leave('stopped'));
    bus.on(AgentSilenced, ({ sessionId }) => this.live.leaveSession(sessionId));
    bus.on(ConversationCleared, ({ conversationId }) => this.live.leaveSession(conversationId));
    bus.on(ConversationDeleted, ({ conversationId }) => this.live.leaveSession(conversationId));
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.beat(), BEAT_MS / SHARES).unref();
    this.beat();
  }

  onModuleDestroy(): void {
    this.stopping = true;
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.untilSaid();
    clearInterval(this.timer);
    await this.keep(this.live.all).catch(() => undefined);
    for (const run of this.live.all) run.leave('handed_back');
    await this.untilSaid();
    await this.store.handBack().catch(() => undefined);
  }

  private async untilSaid(): Promise<void> {
    await Promise.race([Promise.all(this.speeches), sleep(FINISH_MS, undefined, { ref: false })]);
  }

  /** Looks for waiting replies at once. Calls that come while it looks are answered by one more look. */
  wake(): void {
    if (this.claiming) this.woken = true;
    else void this.claim();
  }

  private async claim(): Promise<void> {
    this.claiming = true;
    do {
      this.woken = false;
      await this.takeUp((limit) => this.store.claim(limit));
    } while (this.woken);
    this.claiming = false;
  }

  private beat(): void {
    const share = this.beats % SHARES;
    this.beats += 1;
    void this.keepShare(share);
    if (share > 0) return;
    this.wake();
    void this.takeOver();
  }

  private async keepShare(share: number): Promise<void> {
    if (this.keeping.has(share)) return;
    this.keeping.add(share);
    const runs = this.live.all.filter(({ reply }) => shareOf(reply.id) === share);
    await this.keep(runs).catch((error: unknown) => this.logger.warn({ err: error as Error }, 'replies were not kept'));
    this.keeping.delete(share);
  }

  private async takeOver(): Promise<void> {
    if (this.takingOver) return;
    this.takingOver = true;
    const giving = this.live.all.map(({ reply }) => reply.id);
    await this.takeUp((limit) => this.store.takeOver(limit, giving));
    this.takingOver = false;
  }

  private async takeUp(take: (limit: number) => Promise<TakenReply[]>): Promise<void> {
    const limit = AT_ONCE - this.speeches.size;
    if (this.stopping || limit <= 0) return;
    try {
      for (const reply of await take(limit)) this.start(reply);
    } catch (error) {
      this.logger.warn({ err: error as Error }, 'no reply could be taken up');
    }
  }

  private start(reply: TakenReply): void {
    const run = this.live.begin(reply);
    const speech = this.speaking.speak(run).finally(() => {
      this.live.end(run);
      this.speeches.delete(speech);
      this.wake();
    });
    this.speeches.add(speech);
  }

  private async keep(runs: ReplyRun[]): Promise<void> {
    if (runs.length === 0) return;
    const beats = runs.map((run) => {
      const { sessionId, id, attempt } = run.reply;
      return { sessionId, id, attempt, text: run.unsaved };
    });
    const kept = new Map((await this.store.beat(beats)).map((row) => [row.id, row]));
    for (const [i, run] of runs.entries()) {
      const { ours, wasKept, stopRequested } = kept.get(run.reply.id) ?? LOST;
      if (wasKept) run.wasSaved(beats[i]?.text ?? '');
      if (!ours) run.leave('lost');
      else if (stopRequested) run.leave('stopped');
    }
  }
}

/** By the end of its id, which is random. */
function shareOf(replyId: string): number {
  return parseInt(replyId.slice(-4), 16) % SHARES;
}
