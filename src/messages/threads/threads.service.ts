import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import type { Writer } from '../../access/pass.js';
import { ConversationCreated } from '../../conversations/conversations.events.js';
import { ConversationsService } from '../../conversations/conversations.service.js';
import type { Tx } from '../../platform/database/unit-of-work.js';
import { Problem } from '../../platform/http/problem.js';
import { MessageChanges } from '../message-changes.js';
import { MessageUpdated } from '../messages.events.js';

/** Conversations beside a conversation. Their people, and who may do what, are those of the parent. */
@Injectable()
export class ThreadsService {
  constructor(
    private readonly changes: MessageChanges,
    private readonly conversations: ConversationsService,
  ) {}

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
}

/** Under the lock of the parent: open or closed as it is. */
async function insertThread(tx: Tx, id: string, parentId: string, messageId: string): Promise<void> {
  await tx.query(
    `INSERT INTO conversations (id, kind, closed) SELECT $1, 'thread', closed FROM conversations WHERE id = $2`,
    [id, parentId],
  );
  await tx.query(`INSERT INTO threads (id, parent_id, message_id) VALUES ($1, $2, $3)`, [id, parentId, messageId]);
}
