import { Injectable, Logger } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import type { Writer } from '../../access/pass.js';
import { ConversationCreated } from '../../conversations/conversations.events.js';
import { ConversationsService } from '../../conversations/conversations.service.js';
import { OutcomeUnknown } from '../../platform/database/outcome.events.js';
import type { Tx } from '../../platform/database/unit-of-work.js';
import { EventBus } from '../../platform/events/event-bus.js';
import { Problem } from '../../platform/http/problem.js';
import { MessageChanges } from '../message-changes.js';
import { MessageStored, MessageUpdated } from '../messages.events.js';

/** Conversations beside a conversation. Their people, and who may do what, are those of the parent. */
@Injectable()
export class ThreadsService {
  private readonly logger = new Logger(ThreadsService.name);
  /** Who is being told of which thread: what somebody writes in one moment makes it theirs once. */
  private readonly telling = new Set<string>();

  constructor(
    private readonly changes: MessageChanges,
    private readonly conversations: ConversationsService,
    private readonly bus: EventBus,
  ) {
    bus.on(MessageStored, ({ room, message, joined }) => {
      if (joined && message.author) void this.tellWriter(room.id, message.author.id);
    });
  }

  /**
   * Opens the thread of a message, or gives the one there is, and makes the caller take part in it. Throws 404,
   * 409 `thread_in_thread` and, where there is nothing to talk about any more, `message_deleted`.
   */
  async open(writer: Writer, messageId: string): Promise<{ id: string; created: boolean }> {
    if (writer.room.kind === 'thread') {
      throw Problem.conflict('thread_in_thread', 'A message of a thread has no thread of its own.');
    }
    const fresh = uuidv7();
    const { threadId } = await this.changes.one(writer, messageId, MessageUpdated, async (tx, message) => {
      if (!message.threadId && message.content === null) {
        throw Problem.conflict('message_deleted', 'This message is deleted.');
      }
      if (!message.threadId) await insertThread(tx, fresh, writer.room.id, messageId);
      await this.takePart(tx, message.threadId ?? fresh, writer.actor.userId);
      return !message.threadId;
    });
    return { id: threadId ?? fresh, created: threadId === fresh };
  }

  /** Lists the thread in somebody's inbox from now on. Twice is once. */
  private async takePart(tx: Tx, threadId: string, userId: string): Promise<void> {
    const joined = await tx.one(
      `INSERT INTO thread_participants (thread_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1 AS joined`,
      [threadId, userId],
    );
    const conversation = joined && (await this.conversations.stateOf(threadId, userId, tx));
    if (conversation) tx.announce(ConversationCreated([`user:${userId}`], { conversation }));
  }

  /** Who writes takes part: append_messages has stored that already. */
  private async tellWriter(threadId: string, userId: string): Promise<void> {
    const key = `${threadId} ${userId}`;
    if (this.telling.has(key)) return;
    this.telling.add(key);
    try {
      const conversation = await this.conversations.stateOf(threadId, userId);
      this.bus.publish(ConversationCreated([`user:${userId}`], { conversation }));
    } catch (error) {
      this.logger.warn(
        { err: error as Error, threadId, userId },
        'a writer could not be told of taking part in a thread',
      );
      this.bus.publish(OutcomeUnknown([], { rooms: [], people: [`user:${userId}`] }));
    } finally {
      this.telling.delete(key);
    }
  }
}

/** Under the lock of the parent: open or closed as it is. */
async function insertThread(tx: Tx, id: string, parentId: string, messageId: string): Promise<void> {
  await tx.query(
    `INSERT INTO conversations (id, kind, closed) SELECT $1, 'thread', closed FROM conversations WHERE id = $2`,
    [id, parentId],
  );
  await tx.query(`INSERT INTO threads (id, parent_id, message_id) VALUES ($1, $2, $3)`, [id, parentId, messageId]);
}
