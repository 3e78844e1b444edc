import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { once } from 'node:events';
import type { Actor } from '../../auth/actor.js';
import { Actors } from '../../auth/actors.js';
import { LoginEnded } from '../../auth/auth.events.js';
import { Config } from '../../platform/config/config.js';
import { EventBus } from '../../platform/events/event-bus.js';
import { Problem } from '../../platform/http/problem.js';
import { problemOf } from '../../platform/http/problem.filter.js';
import { Following, type Heard, messageOf } from './following.js';
import { presentReply } from './reply.presenter.js';

const KEEP_ALIVE_MS = 15_000;

/** Tells a reply as text/event-stream (the HTML standard's server-sent events), to people who may leave at any time. */
@Injectable()
export class ReplyStream {
  /** By person, for which of their logins each is. */
  private readonly open = new Map<string, Map<AbortController, string>>();

  constructor(
    private readonly following: Following,
    private readonly config: Config,
    private readonly actors: Actors,
    bus: EventBus,
  ) {
    bus.on(LoginEnded, ({ userId, loginIds }) => {
      for (const [stream, loginId] of this.open.get(userId) ?? []) if (loginIds.includes(loginId)) stream.abort();
    });
  }

  /**
   * Aborted when the caller leaves, or their login ends. The reply itself goes on. Whoever waits looks after it every
   * second, so an account has no more of them than sockets: throws 429 `too_many_connections`.
   */
  leaving({ userId, loginId }: Actor, response: Response): AbortSignal {
    // What has closed already closes no second time.
    if (response.destroyed) return AbortSignal.abort();
    const open = this.open.get(userId) ?? new Map<AbortController, string>();
    if (open.size >= this.config.maxConnectionsOfUser) throw tooMany(this.config.maxConnectionsOfUser);
    const stream = new AbortController();
    this.open.set(userId, open.set(stream, loginId));
    response.on('close', () => {
      open.delete(stream);
      if (open.size === 0) this.open.delete(userId);
      stream.abort();
    });
    void this.leaveUnlessLiving(loginId, stream);
    return stream.signal;
  }

  /** It may have ended since it was looked at for this call, before anything here listened for that. */
  private async leaveUnlessLiving(loginId: string, stream: AbortController): Promise<void> {
    if (!(await this.actors.find(loginId).catch(() => undefined))) stream.abort();
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

function tooMany(most: number): Problem {
  return new Problem(429, 'too_many_connections', `An account may wait for ${most} replies at once. Leave one first.`);
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
