import { namedIn } from '../../messages/mentions/named.js';
import type { OldMessage, OldReaction, OldRevision, OldThread } from './source.js';
import type { Field } from './staging.js';
import { fingerprint, namedId } from './values.js';

/** `content` is what is stored; what the source says may name people by their ids. */
export function messageRow(
  scope: string,
  message: OldMessage,
  content: string,
  author: string | null,
  mentioned: string[] | null,
): Field[] {
  const { id, conversation, role, tokensUsed, createdAt, order } = message;
  return [
    ...[id, conversation, namedId(createdAt, scope, 'message', id), author, role, content],
    ...[message.metadata === null ? null : JSON.stringify(message.metadata), tokensUsed, createdAt],
    ...[message.readAt ?? null, mentioned ? null : namesIn(role, content), mentioned, order],
    ...[message.editedAt ?? null, message.replyTo ?? null, message.pinned ?? false],
    ...[fingerprint(role, tokensUsed, message.content), fingerprint(role, tokensUsed, content)],
  ];
}

/** The message of the house that a thread hangs on where nothing else is there. */
export function rootRow(scope: string, { id, channel, name, createdAt }: OldThread): Field[] {
  const root: OldMessage = {
    kind: 'message',
    id: `thread ${id}`,
    conversation: channel,
    role: 'system',
    author: null,
    content: name ?? 'Thread',
    tokensUsed: null,
    metadata: null,
    createdAt,
    order: createdAt?.getTime() ?? 0,
  };
  return messageRow(scope, root, root.content, null, null);
}

export function revisionRow({ id, conversation, message, content, createdAt }: OldRevision): Field[] {
  return [id, conversation, message, content, createdAt, fingerprint(content)];
}

export function reactionRow(
  { id, conversation, message, createdAt }: OldReaction,
  person: string,
  emoji: string,
): Field[] {
  return [id, conversation, message, person, emoji, createdAt];
}

/** The names that people mention, in the forms that they may have; whose they are is found where the message is stored. */
function namesIn(role: OldMessage['role'], content: string): string | null {
  if ((role !== 'user' && role !== 'peer') || !content.includes('@')) return null;
  const { names } = namedIn(content);
  return names.length > 0 ? JSON.stringify(names) : null;
}
