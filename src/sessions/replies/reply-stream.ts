import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { once } from 'node:events';
import type { Actor } from '../../auth/actor.js';
import { LoginEnded } from '../../auth/auth.events.js';
import { EventBus } from '../../platform/events/event-bus.js';
import { problemOf } from '../../platform/http/problem.filter.js';
import { Following, type Heard, messageOf } from './following.js';
import { presentReply } from './reply.presenter.js';

const KEEP_ALIVE_MS = 15_000;

/** Tells a reply as text/event-stream (the HTML standard's server-sent events), to people who may leave at any time. */
@Injectable()
export class ReplyStream {
  private readonly open = new Map<AbortController, string>();

  constructor(
    private readonly following: Following,
    bus: EventBus,
  ) {
    bus.on(LoginEnded, ({ loginIds }) => {
      for (const [stream, loginId] of this.open) if (loginIds.includes(loginId)) stream.abort();
    });
  }

  /** Aborted when the caller leaves, or their login ends. The reply itself goes on. */
  leaving(actor: Actor, response: Response): AbortSignal {
    const stream = new AbortController();
    this.open.set(stream, actor.loginId);
    response.on('close', () => {
      this.open.delete(stream);
      stream.abort();
    });
    return stream.signal;
  }

  /** `delta` for each piece, then `done` with the message or `error` with the problem. */
  async write(response: Response, sessionId: string, replyId: string, signal: AbortSignal): Promise<void> {
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' });
    const keepAlive = setInterval(() => response.write(': still here\n\n'), KEEP_ALIVE_MS);
    try {
      response.write(event('reply', { id: replyId, conversationId: sessionId }));
      for await (const heard of this.following.follow(sessionId, replyId, signal)) {
        if (!response.write(eventOf(heard)) && !signal.aborted) {
          await once(response, 'drain', { signal }).catch(() => undefined);
        }
      }
    } catch (error) {
      response.write(failure(error));
    } finally {
      clearInterval(keepAlive);
      response.end();
    }
  }
}

function eventOf(heard: Heard): string {
  if ('delta' in heard) return event('delta', heard.delta);
  try {
    return event('done', { message: messageOf(heard), reply: presentReply(heard.end) });
  } catch (error) {
    return failure(error);
  }
}

function failure(error: unknown): string {
  const { status, code, detail } = problemOf(error);
  return event('error', { status, code, detail });
}

function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
