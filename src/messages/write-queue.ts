import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Histogram, Registry } from 'prom-client';
import { DEADLOCK_TRIES } from '../platform/database/deadlock.js';
import { Problem } from '../platform/http/problem.js';
import { AppendStore, type DraftRow, type Judged } from './append-store.js';

/** Batches at the database side by side. More would wait for each other's fsync and gather less. */
const LANES = 2;
/** Jobs wait for locks of their own, some for long: that must keep no sends waiting. */
const JOBS = 4;
const MAX_BATCH = 400;
/** Who was let in longer ago than this may have been removed since. */
const LATE_MS = 250;
/** Beyond this, sends are refused: a queue that only grows serves nobody. */
const MAX_WAITING = 20_000;

const SIZES = [1, 2, 5, 10, 20, 50, 100, 200, MAX_BATCH];
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

interface Send {
  draft: DraftRow;
  /** Since when it waits, on the clock of `performance.now`. */
  since: number;
  /** Called in order, at once after the commit, before anything that comes after it in this conversation has an answer. */
  settle: (judged: Judged) => void;
  fail: (error: unknown) => void;
}
type Work = Send | { job: () => Promise<void> };

/** What is done at the database for these conversations. Never throws, and gives what is left to be told of it. */
interface Turn {
  kind: 'batch' | 'job';
  conversationIds: string[];
  work: () => Promise<() => void>;
}

/**
 * Group commit. While one batch is at the database the next one gathers, so that under load a commit carries many
 * messages and alone it carries one at once. Whatever changes one conversation on this node goes through here, one
 * after the other: so it is also announced in the order of its rev.
 */
@Injectable()
export class WriteQueue implements OnApplicationShutdown {
  private readonly waiting = new Map<string, Work[]>();
  private readonly busy = new Set<string>();
  private waitingCount = 0;
  private readonly running = { batch: 0, job: 0 };
  private pumping = false;
  private idle: (() => void)[] = [];

  private readonly batchSize: Histogram;
  private readonly ackSeconds: Histogram;

  constructor(
    private readonly store: AppendStore,
    registry: Registry,
  ) {
    this.batchSize = new Histogram({
      name: 'parley_send_batch_size',
      help: 'Messages in one commit.',
      buckets: SIZES,
      registers: [registry],
    });
    // Measured once a batch: once a message would be felt where there are thousands a second.
    this.ackSeconds = new Histogram({
      name: 'parley_send_ack_seconds',
      help: 'From taking a send until it is committed, of the send in each batch that waited longest.',
      buckets: SECONDS,
      registers: [registry],
    });
  }

  /** What waits, and how many batches and jobs are at the database. */
  get load(): { waiting: number; running: number } {
    return { waiting: this.waitingCount, running: this.atDatabase };
  }

  /** Throws 503 `overloaded` where too much waits already. */
  send(draft: DraftRow, settle: (judged: Judged) => void, fail: (error: unknown) => void): void {
    this.add(draft.conversationId, { draft, settle, fail, since: performance.now() });
  }

  /** Runs `job` while nothing else of the conversation is written by this node. Gives or throws what it does. */
  exclusive<T>(conversationId: string, job: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.add(conversationId, { job: () => job().then(resolve, reject) });
    });
  }

  /** What has been accepted is finished before the database is closed. */
  async onApplicationShutdown(): Promise<void> {
    if (this.waitingCount + this.atDatabase > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  private add(conversationId: string, work: Work): void {
    if (this.waitingCount >= MAX_WAITING) throw new Problem(503, 'overloaded', 'Too much is being written right now.');
    const line = this.waiting.get(conversationId);
    if (line) line.push(work);
    else this.waiting.set(conversationId, [work]);
    this.waitingCount += 1;
    this.pumpSoon();
  }

  /** At the end of this turn of the event loop: what arrived in it goes together, and nothing waits longer. */
  private pumpSoon(): void {
    if (this.pumping) return;
    this.pumping = true;
    setImmediate(() => {
      this.pumping = false;
      this.pump();
    });
  }

  private get atDatabase(): number {
    return this.running.batch + this.running.job;
  }

  private pump(): void {
    for (let next = this.next(); next; next = this.next()) {
      this.running[next.kind] += 1;
      void this.run(next);
    }
    if (this.waitingCount + this.atDatabase === 0) this.idle.splice(0).forEach((tell) => tell());
  }

  private next(): Turn | undefined {
    return (
      (this.running.batch < LANES ? this.gather() : undefined) ?? (this.running.job < JOBS ? this.nextJob() : undefined)
    );
  }

  /** The next batch is on its way to the database before this one is announced, in the same turn of the event loop. */
  private async run({ kind, conversationIds, work }: Turn): Promise<void> {
    conversationIds.forEach((id) => this.busy.add(id));
    const announce = await work();
    conversationIds.forEach((id) => this.busy.delete(id));
    this.running[kind] -= 1;
    this.pump();
    announce();
  }

  /**
   * The sends that stand first in their conversations. A conversation that had its turn goes to the
   * end of the line with what is left of it: however busy some are, the others come next.
   */
  private gather(): Turn | undefined {
    const batch: Send[] = [];
    const conversationIds: string[] = [];
    for (const [conversationId, line] of this.waiting) {
      if (this.busy.has(conversationId) || batch.length >= MAX_BATCH) continue;
      const sends = leadingSends(line, MAX_BATCH - batch.length);
      if (sends.length === 0) continue;
      line.splice(0, sends.length);
      conversationIds.push(conversationId);
      batch.push(...sends);
    }
    this.served(conversationIds, batch.length);
    return batch.length > 0 ? { kind: 'batch', conversationIds, work: () => this.commit(batch) } : undefined;
  }

  /** What stands first in its conversation, by itself. */
  private nextJob(): Turn | undefined {
    for (const [conversationId, line] of this.waiting) {
      const [first] = line;
      if (!first || !('job' in first) || this.busy.has(conversationId)) continue;
      line.shift();
      this.served([conversationId], 1);
      return { kind: 'job', conversationIds: [conversationId], work: () => first.job().then(() => nothing) };
    }
    return undefined;
  }

  private served(conversationIds: string[], count: number): void {
    this.waitingCount -= count;
    for (const id of conversationIds) {
      const left = this.waiting.get(id) ?? [];
      this.waiting.delete(id);
      if (left.length > 0) this.waiting.set(id, left);
    }
  }

  private async commit(batch: Send[], tries = 1): Promise<() => void> {
    try {
      const isLate = performance.now() - earliest(batch) > LATE_MS;
      const judged = await this.store.append(
        batch.map(({ draft }) => draft),
        isLate,
      );
      this.measure(batch);
      return () => batch.forEach((send, i) => settle(send, judged[i] as Judged));
    } catch (error) {
      // Whoever takes locks in another order, such as a command, costs it another try and fails no send.
      if (tries < DEADLOCK_TRIES && this.store.wasEntangled(error)) return this.commit(batch, tries + 1);
      if (batch.length === 1 || !this.store.blamesOneDraft(error))
        return () => batch.forEach(({ fail }) => fail(error));
      // One draft spoiled the statement for all: each by itself, so that only that one fails.
      await this.commitEach(batch);
      return nothing;
    }
  }

  /** What waits for a room that is locked is refused with the first of it, and keeps the others waiting once. */
  private async commitEach(batch: Send[]): Promise<void> {
    const lockedOut = new Map<string, unknown>();
    for (const send of batch) {
      const { conversationId } = send.draft;
      const fail = (error: unknown) => {
        if (this.store.isLockedOut(error)) lockedOut.set(conversationId, error);
        send.fail(error);
      };
      if (lockedOut.has(conversationId)) send.fail(lockedOut.get(conversationId));
      else (await this.commit([{ ...send, fail }]))();
    }
  }

  private measure(batch: Send[]): void {
    this.batchSize.observe(batch.length);
    this.ackSeconds.observe((performance.now() - earliest(batch)) / 1000);
  }
}

const nothing = (): void => undefined;

function earliest(batch: Send[]): number {
  return batch.reduce((first, { since }) => Math.min(first, since), Infinity);
}

/** What goes wrong with one is its own: the others of the batch are committed too, and must be told. */
function settle(send: Send, judged: Judged): void {
  try {
    send.settle(judged);
  } catch (error) {
    send.fail(error);
  }
}

/** Stops before a nonce or an ending reply that is in the batch already: append_messages judges against what is stored. */
function leadingSends(line: Work[], most: number): Send[] {
  const sends: Send[] = [];
  const once = new Set<string>();
  for (const work of line.slice(0, most)) {
    if ('job' in work) break;
    const { nonce, authorId, agentId, replyId, attempt } = work.draft;
    const keys = [
      ...(nonce === null ? [] : [`${authorId ?? agentId ?? ''} ${nonce}`]),
      ...(attempt === null ? [] : [`ends ${replyId}`]),
    ];
    if (keys.some((key) => once.has(key))) break;
    keys.forEach((key) => once.add(key));
    sends.push(work);
  }
  return sends;
}
