import { Injectable } from '@nestjs/common';
import { arrayAt, Database } from '../../platform/database/database.js';
import { together } from '../../platform/database/together.js';
import { EventBus } from '../../platform/events/event-bus.js';
import { type Delta, MessageDelta } from './replies.events.js';
import { paceAmong, ReplyRun } from './reply-run.js';
import type { TakenReply } from './reply-store.js';

/** The replies that are being given: those of this node to the letter, those of others as of the last second. */
@Injectable()
export class LiveReplies {
  private readonly runs = new Map<string, ReplyRun>();

  constructor(
    private readonly bus: EventBus,
    private readonly database: Database,
  ) {}

  get all(): ReplyRun[] {
    return [...this.runs.values()];
  }

  get(id: string): ReplyRun | undefined {
    return this.runs.get(id);
  }

  /** Begins an attempt. An earlier one of ours, that was given up meanwhile, says no more. */
  begin(reply: TakenReply): ReplyRun {
    this.runs.get(reply.id)?.leave('lost');
    const { id: replyId, sessionId: conversationId, userId } = reply;
    const run = new ReplyRun(
      reply,
      (at, text) => this.bus.publish(MessageDelta([`user:${userId}`], { conversationId, replyId, at, text })),
      () => paceAmong(this.runs.size),
    );
    this.runs.set(reply.id, run);
    return run;
  }

  end(run: ReplyRun): void {
    if (this.runs.get(run.reply.id) === run) this.runs.delete(run.reply.id);
  }

  leaveSession(sessionId: string): void {
    for (const run of this.runs.values()) if (run.reply.sessionId === sessionId) run.leave('lost');
  }

  /** What is being said to somebody at this moment, each from its beginning: for a client that comes back. */
  async toldTo(userId: string): Promise<Delta[]> {
    const deltas = (await this.readTold(userId)) ?? [];
    return deltas.map((delta) => ({ ...delta, text: this.runs.get(delta.replyId)?.known ?? delta.text }));
  }

  private readonly readTold = together(async (userIds) => {
    const rows = await this.database.prepared<Delta & { ownerId: string }>(
      `SELECT session.owner_id AS "ownerId", reply.session_id AS "conversationId", reply.id AS "replyId", 0 AS at, reply.text
       FROM replies reply JOIN sessions session ON session.id = reply.session_id
       WHERE reply.status = 'running' AND session.owner_id = ANY(${arrayAt(1)})`,
      [userIds],
    );
    const told = new Map<string, Delta[]>();
    for (const { ownerId, ...delta } of rows) told.set(ownerId, [...(told.get(ownerId) ?? []), delta]);
    return told;
  });
}
