import { mongoSource } from '../mongo-export.js';
import type { Row } from '../row.js';
import type { OldMessage, OldSession, Source } from '../source.js';
import { UnreadableValue } from '../values.js';

/** mongoexport's files of the agent and peer chat backend. Sessions and messages meet by `sessionId`. */
export function openPeerChat(location: string, label = ''): Promise<Source> {
  return mongoSource('peer-chat', location, label, { session: readSession, message: readMessage });
}

function readSession(row: Row): OldSession {
  const type = oneOf(['agent', 'peer'], row.text('type') ?? 'agent', 'type of session');
  const status = oneOf(['open', 'closed'], row.text('status') ?? 'open', 'status');
  return {
    kind: 'session',
    id: row.needId('sessionId'),
    owner: row.id('userId'),
    type,
    advocate: type === 'peer' ? row.id('peerAdvocateId') : null,
    agentSlug: null,
    standing: false,
    title: null,
    closed: status === 'closed',
    createdAt: row.time('createdAt'),
    updatedAt: row.time(row.has('updatedAt') ? 'updatedAt' : 'lastMessageAt'),
  };
}

function readMessage(row: Row): OldMessage {
  const role = oneOf(['user', 'agent', 'peer'], row.text('role'), 'role');
  const createdAt = row.time('createdAt');
  const readAt = row.time('readAt');
  return {
    kind: 'message',
    id: row.needId('_id'),
    conversation: row.needId('sessionId'),
    role,
    author: role === 'agent' ? null : row.id(role === 'user' ? 'userId' : 'peerAdvocateId'),
    content: row.needText('content'),
    tokensUsed: null,
    metadata: readMetadata(row, readAt),
    createdAt,
    readAt,
    order: createdAt?.getTime() ?? 0,
  };
}

/** Where a message came from has no place of its own here, and when an agent's was read neither. */
function readMetadata(row: Row, readAt: Date | null): Record<string, unknown> | null {
  const source = row.text('source');
  if (source === null && readAt === null) return null;
  return { ...(source !== null && { source }), ...(readAt && { readAt: readAt.toISOString() }) };
}

function oneOf<T extends string>(known: T[], value: string | null, what: string): T {
  const found = known.find((each) => each === value);
  if (!found) throw new UnreadableValue(`unknown ${what}`);
  return found;
}
