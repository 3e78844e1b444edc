import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../platform/database/unit-of-work.js';
import type { Reader } from '../pass.js';

export const AUDIT_ACTIONS = [
  'server.updated',
  'channel.created',
  'channel.updated',
  'channel.deleted',
  'category.created',
  'category.updated',
  'category.deleted',
  'member.added',
  'member.joined',
  'member.removed',
  'member.left',
  'member.role_changed',
  'member.banned',
  'member.unbanned',
  'invite.created',
  'invite.deleted',
  'message.deleted',
  'message.pinned',
  'message.unpinned',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export interface AuditNote {
  serverId: string;
  actorId: string;
  action: AuditAction;
  /** Whom or what it was done to. */
  targetId?: string;
  /** What changed. Never the text of a message. */
  details?: Record<string, unknown> | undefined;
}

/** Writes down what somebody did with their rights, in the transaction that does it. */
export async function audit(tx: Tx, ...notes: AuditNote[]): Promise<void> {
  if (notes.length === 0) return;
  const rows = notes.map(({ targetId, details, ...note }) => ({
    id: uuidv7(),
    ...note,
    targetId: targetId ?? null,
    details: details ?? null,
  }));
  await tx.query(
    `INSERT INTO audit_log (id, server_id, actor_id, action, target_id, details)
     SELECT id, "serverId", "actorId", action, "targetId", details FROM json_to_recordset($1) AS note (
       id uuid, "serverId" uuid, "actorId" uuid, action text, "targetId" uuid, details jsonb)`,
    [JSON.stringify(rows)],
  );
}

/** The same for what a moderator does to messages of a channel; other rooms have no moderators. */
export async function auditInRoom(
  tx: Tx,
  { room, actor }: Pick<Reader, 'room' | 'actor'>,
  action: AuditAction,
  messageIds: string[],
): Promise<void> {
  const { id, serverId } = room;
  if (!serverId) return;
  const note = { serverId, actorId: actor.userId, action, details: { conversationId: id } };
  await audit(tx, ...messageIds.map((targetId) => ({ ...note, targetId })));
}
