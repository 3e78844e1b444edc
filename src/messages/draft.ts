import { AnsweringAgent, type HouseVoice, Writer } from '../access/pass.js';
import type { DraftRow, Judged } from './append-store.js';
import type { Mentioning } from './mentions/mentioning.js';
import type { AttachmentData } from './message.entity.js';
import { messageId } from './message-id.js';
import type { messageView } from './message.presenter.js';

/** Who may say something in a room: a person, its agent, or the house. */
export type Speaker = Writer | AnsweringAgent | HouseVoice;

/** What somebody wants to say. */
export interface Draft {
  content: string;
  nonce?: string | undefined;
  replyToId?: string | undefined;
  metadata?: Record<string, unknown> | undefined;
  tokensUsed?: number | undefined;
  attachmentIds?: string[] | undefined;
  /** Of an agent: the reply that ends with this message, in the same commit. */
  reply?: { id: string; attempt: number; status: 'done' | 'stopped' } | undefined;
}

/** As append_messages takes it. */
export function draftRow(pass: Speaker, draft: Draft, named: Mentioning): DraftRow {
  return {
    conversationId: pass.room.id,
    id: messageId(),
    authorId: pass instanceof Writer ? pass.actor.userId : null,
    agentId: pass instanceof AnsweringAgent ? pass.author.id : null,
    role: pass.role,
    content: draft.content,
    metadata: draft.metadata ?? null,
    tokensUsed: draft.tokensUsed ?? null,
    nonce: draft.nonce ?? null,
    replyToId: draft.replyToId ?? null,
    replyId: draft.reply?.id ?? (pass.room.kind === 'session' && pass.role === 'user' ? messageId() : null),
    attempt: draft.reply?.attempt ?? null,
    replyStatus: draft.reply?.status ?? null,
    mentionNames: named.names,
    mentionServerId: named.serverId,
    mentionUserIds: named.userIds,
    mentionsEveryone: named.everyone,
  };
}

/** Field by field: to spread objects as large as these costs more than all else that is done for a message. */
export function storedRow(
  row: DraftRow,
  judged: Judged,
  attachments: AttachmentData[] | null,
): Parameters<typeof messageView>[0] {
  return {
    id: row.id,
    conversationId: row.conversationId,
    seq: judged.seq,
    rev: judged.rev,
    role: row.role,
    content: row.content,
    metadata: row.metadata,
    tokensUsed: row.tokensUsed,
    nonce: row.nonce,
    replyToId: row.replyToId,
    threadId: null,
    mentions: judged.mentions,
    mentionsEveryone: row.mentionsEveryone,
    attachments,
    reactions: null,
    reacted: null,
    pinnedAt: null,
    createdAt: judged.createdAt,
    editedAt: null,
    deletedAt: null,
  };
}
