import { mongoSource } from '../mongo-export.js';
import type { Row } from '../row.js';
import type { OldMessage, OldSession, Source } from '../source.js';
import { UnreadableValue } from '../values.js';

const ROLES = new Map<string, 'user' | 'agent' | 'system'>([
  ['user', 'user'],
  ['human', 'user'],
  ['assistant', 'agent'],
  ['agent', 'agent'],
  ['ai', 'agent'],
  ['bot', 'agent'],
  ['character', 'agent'],
  ['system', 'system'],
]);

/** mongoexport's files of the characters backend: one session for each person and character. */
export function openCharacters(location: string, label = ''): Promise<Source> {
  return mongoSource('characters', location, label, { session: readSession, message: readMessage });
}

function readSession(row: Row): OldSession {
  return {
    kind: 'session',
    id: row.needId('_id'),
    owner: row.id('userId'),
    type: 'agent',
    advocate: null,
    agentSlug: row.needId('characterId'),
    standing: true,
    title: null,
    closed: false,
    createdAt: row.time('createdAt'),
    updatedAt: row.time('updatedAt'),
  };
}

function readMessage(row: Row): OldMessage {
  const told = row.has('role') ? row.text('role') : row.text('sender');
  const role = ROLES.get(told?.toLowerCase() ?? '');
  if (!role) throw new UnreadableValue('unknown role');
  const createdAt = row.time('createdAt');
  return {
    kind: 'message',
    id: row.needId('_id'),
    conversation: row.needId('sessionId'),
    role,
    author: role === 'user' ? row.id('userId') : null,
    content: row.needText('content'),
    tokensUsed: null,
    metadata: null,
    createdAt,
    order: createdAt?.getTime() ?? 0,
  };
}
