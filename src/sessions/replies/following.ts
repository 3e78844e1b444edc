import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { ConversationUpdated } from '../../conversations/conversations.events.js';
import { HistoryService } from '../../messages/history.service.js';
import type { MessageView } from '../../messages/message.presenter.js';
import { EventBus } from '../../platform/events/event-bus.js';
import { Problem } from '../../platform/http/problem.js';
import { problemOf } from '../../platform/http/problem.filter.js';
import { RepliesService } from './replies.service.js';
import { type Delta, MessageDelta } from './replies.events.js';
import type { ReplyRow } from './reply.presenter.js';

/** How long a follower believes that nothing has happened: events are hints, the row is the truth. */
const LOOK_MS = 1_000;

export type Heard = { delta: Delta } | { end: ReplyRow; message: MessageView | null };

interface Follower {
  deltas: Delta[];
  look: boolean;
  wake: () => void;
}

/** Lets somebody follow a reply from its beginning to its end, whenever they come and on whatever node it runs. */
@Injectable()
export class Following implements BeforeApplicationShutdown {
  private readonly followers = new Map<string, Set<Follower>>();
  private stopping = false;

  constructor(
    private readonly replies: RepliesService,
    private readonly history: HistoryService,
    bus: EventBus,
  ) {
    bus.on(MessageDelta, (delta) => this.tell(delta.replyId, (follower) => follower.deltas.push(delta)));
    bus.on(ConversationUpdated, ({ conversation: { reply } }) => {
      if (reply) this.tell(reply.id, (follower) => (follower.look = true));
    });
  }

  /** Whoever follows is let go, so that the server can close. */
  beforeApplicationShutdown(): void {
    this.stopping = true;
    for (const id of this.followers.keys()) this.tell(id, () => undefined);
  }

  /**
   * Gives the text so far, each piece as it comes, and the end. Ends early with `signal`. Throws 404 where the reply is
   * gone with what it was to answer, 503 where the server restarts meanwhile.
   */
  async *follow(sessionId: string, id: string, signal: AbortSignal): AsyncGenerator<Heard> {
    const follower: Follower = { deltas: [], look: true, wake: () => undefined };
    const stop = this.add(id, follower);
    signal.addEventListener('abort', () => follower.wake());
    let known = '';
    try {
      while (!signal.aborted) {
        if (this.stopping) throw Problem.unavailable('The server restarts. The reply goes on: ask for it again.');
        const seen: Delta[] = [];
        const hear = (at: number, text: string) => {
          const told = advance(known, at, text);
          if (!told) return;
          known = known.slice(0, told.at) + told.text;
          seen.push({ conversationId: sessionId, replyId: id, ...told });
        };
        for (const { at, text } of follower.deltas.splice(0)) hear(at, text);
        const row = follower.look ? await this.look(follower, sessionId, id) : undefined;
        const message = row?.messageId ? await this.message(sessionId, row.messageId) : null;
        if (row) hear(0, row.messageId ? (message?.content ?? known) : row.text);
        for (const delta of seen) yield { delta };
        if (row && isOver(row)) {
          yield { end: row, message };
          return;
        }
        await this.wait(follower);
      }
    } finally {
      stop();
    }
  }

  /** Waits for the end. Gives the message that the reply became. Throws 502 where it failed, 409 where it was stopped. */
  async untilEnd(sessionId: string, id: string, signal: AbortSignal): Promise<MessageView | undefined> {
    for await (const heard of this.follow(sessionId, id, signal)) {
      if ('end' in heard) return messageOf(heard);
    }
    return undefined;
  }

  private async look(follower: Follower, sessionId: string, id: string): Promise<ReplyRow> {
    follower.look = false;
    const row = await this.replies.find(sessionId, id);
    if (!row) throw Problem.notFound('This reply');
    return row;
  }

  /** None where it was deleted meanwhile, with everything that was said or by itself. */
  private async message(sessionId: string, messageId: string): Promise<MessageView | null> {
    try {
      return await this.history.find(sessionId, messageId);
    } catch (error) {
      if (problemOf(error).status === 404) return null;
      throw error;
    }
  }

  private async wait(follower: Follower): Promise<void> {
    if (follower.deltas.length > 0 || follower.look) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      follower.wake = resolve;
      timer = setTimeout(() => {
        follower.look = true;
        resolve();
      }, LOOK_MS).unref();
    });
    clearTimeout(timer);
  }

  private add(id: string, follower: Follower): () => void {
    const others = this.followers.get(id) ?? new Set();
    this.followers.set(id, others.add(follower));
    return () => {
      others.delete(follower);
      if (others.size === 0) this.followers.delete(id);
    };
  }

  private tell(id: string, what: (follower: Follower) => void): void {
    for (const follower of this.followers.get(id) ?? []) {
      what(follower);
      follower.wake();
    }
  }
}

export function messageOf({ end, message }: Extract<Heard, { end: ReplyRow }>): MessageView {
  if (end.status === 'failed') throw failureProblem(end.error ?? 'internal');
  if (message) return message;
  throw Problem.conflict('reply_stopped', 'The reply was stopped before anything was said.');
}

/** 409 where it is up to the people here, 502 where it is up to whatever stands behind the agent. */
function failureProblem(code: string): Problem {
  if (code === 'session_closed') return Problem.conflict(code, 'This session is closed.');
  if (code === 'agent_disabled') return Problem.conflict(code, 'This agent is switched off.');
  return new Problem(502, 'reply_failed', `The agent did not answer (${code}). Your message is kept; ask it again.`);
}

function isOver({ status }: ReplyRow): boolean {
  return status === 'done' || status === 'failed' || status === 'stopped';
}

/**
 * What a piece adds to what is known: nothing where it is known already, or leaves a gap (the row will fill it). Where
 * it differs the reply has begun anew: the piece takes the place of all that was known from there on.
 */
export function advance(known: string, at: number, text: string): { at: number; text: string } | undefined {
  if (at > known.length) return undefined;
  const overlap = known.slice(at, at + text.length);
  if (text.startsWith(overlap)) {
    const rest = text.slice(overlap.length);
    return rest === '' ? undefined : { at: known.length, text: rest };
  }
  return { at, text };
}
