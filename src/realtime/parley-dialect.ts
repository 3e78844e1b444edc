import { Injectable, Logger } from '@nestjs/common';
import type { ConversationState } from '../conversations/conversation-state.js';
import type { DomainEvent } from '../platform/events/event.js';
import { Config } from '../platform/config/config.js';
import { Problem } from '../platform/http/problem.js';
import { problemOf } from '../platform/http/problem.filter.js';
import { checked } from '../platform/http/validation.js';
import { Roster } from '../users/presence/roster.js';
import type { Connection, Dialect } from './connection.js';
import { type Answer, Frames } from './frames.js';
import { HEARTBEAT_SECONDS } from './heartbeat.js';
import { RateLimiter } from './rate-limiter.js';

/** The protocol parley.v1: one JSON object a text frame. */
@Injectable()
export class ParleyDialect implements Dialect {
  private readonly logger = new Logger(ParleyDialect.name);
  private readonly limiter: RateLimiter;

  constructor(
    private readonly frames: Frames,
    private readonly roster: Roster,
    config: Config,
  ) {
    this.limiter = new RateLimiter(config.rateLimit);
  }

  encode({ type, data }: DomainEvent): string {
    return JSON.stringify({ type, ...(data as object) });
  }

  greet(connection: Connection, conversations: ConversationState[]): void {
    connection.send({
      type: 'ready',
      connectionId: connection.id,
      user: connection.actor.profile,
      presence: this.roster.choiceOf(connection.actor.userId),
      heartbeatSeconds: HEARTBEAT_SECONDS,
      conversations: conversations.map(inShort),
    });
  }

  async receive(connection: Connection, text: string): Promise<void> {
    const frame = parse(text);
    if (!frame) return this.refuse(connection, 'malformed_json', 'A frame is one JSON object.');
    const ref = typeof frame.ref === 'string' ? frame.ref : undefined;
    if (!this.limiter.admits(connection)) return this.refuse(connection, 'rate_limited', 'Too many frames.', ref);
    const kind = typeof frame.type === 'string' ? this.frames.kinds.get(frame.type) : undefined;
    if (!kind) return this.refuse(connection, 'unknown_type', 'This type of frame is not known.', ref);

    connection.countGood();
    const { type: _, ...fields } = frame;
    try {
      const answer = await kind.handle(connection, checked(kind.form, fields));
      this.answer(connection, answer, ref, text.length);
    } catch (error) {
      this.fail(connection, error, ref);
    }
  }

  /** For what cannot even be read; enough of it in a row ends the connection. */
  refuse(connection: Connection, code: string, message: string, ref?: string): void {
    connection.send({ type: 'error', ref, code, message });
    connection.countError();
  }

  /** `bytes` is the size of the frame: what is open comes back to the sender, as an ack and as an event. */
  private answer(connection: Connection, answer: Answer, ref: string | undefined, bytes: number): void {
    if (answer === undefined) return;
    if (!('later' in answer)) return connection.send(withRef(answer, ref));
    connection.intake.begun(bytes);
    answer.later
      .then(
        (value) => value && connection.send(withRef(value, ref)),
        (error: unknown) => this.fail(connection, error, ref),
      )
      .finally(() => connection.intake.settled(bytes));
  }

  private fail(connection: Connection, error: unknown, ref: string | undefined): void {
    const { status, code, detail, errors } = problemOf(error);
    if (status >= 500 && !(error instanceof Problem)) this.logger.error({ err: error as Error }, 'a frame failed');
    connection.send({ type: 'error', ref, code, message: detail, errors });
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** `type` first and `ref` next to it, for whoever reads frames with their eyes. */
function withRef(answer: object, ref: string | undefined): object {
  return { ...('type' in answer ? { type: answer.type } : {}), ref, ...answer };
}

/** So that a thousand rooms are less than 200 KB: a channel's name is with its server, and only a thread hangs on a message. */
function inShort({ title, parent, ...standing }: ConversationState): object {
  return { ...standing, ...(standing.serverId === null && { title }), ...(parent && { parent }) };
}
