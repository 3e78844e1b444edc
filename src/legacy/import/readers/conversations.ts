import type { Row } from '../row.js';
import { type OldMessage, type OldSession, type Source, SourceError } from '../source.js';
import { SqliteFile } from '../sqlite.js';
import { UnreadableValue } from '../values.js';

const ROLES = new Map<string, 'user' | 'agent' | 'system'>([
  ['user', 'user'],
  ['human', 'user'],
  ['assistant', 'agent'],
  ['ai', 'agent'],
  ['system', 'system'],
]);

export function isConversations(file: SqliteFile): boolean {
  return file.tables().includes('conversations') && file.columns('messages').includes('conversation_id');
}

/** The one-person SQLite file of conversations with a model. */
export async function openConversations(location: string, label = ''): Promise<Source> {
  const file = await SqliteFile.open(location);
  if (!isConversations(file)) {
    await file.close();
    throw new SourceError(`${location} has no tables conversations and messages as this system makes them.`);
  }
  const table = (name: string) => ({ name, count: () => file.count(name), rows: () => file.rows(name) });
  return {
    system: 'conversations',
    label,
    location,
    ownerless: 'migrated_user',
    unknownUsers: 'orphan',
    tables: [
      { ...table('conversations'), understand: readSession },
      { ...table('messages'), understand: readMessage },
    ],
    otherTables: file.othersThan(['conversations', 'messages']),
    close: () => file.close(),
  };
}

function readSession(row: Row): OldSession {
  return {
    kind: 'session',
    id: row.needId('id'),
    owner: null,
    type: 'agent',
    advocate: null,
    agentSlug: null,
    standing: false,
    title: row.text('title')?.trim() || 'Migrated Conversation',
    closed: false,
    createdAt: row.time('created_at'),
    updatedAt: row.time('updated_at'),
  };
}

function readMessage(row: Row): OldMessage {
  const role = ROLES.get(row.text('role')?.toLowerCase() ?? '');
  if (!role) throw new UnreadableValue('unknown role');
  return {
    kind: 'message',
    id: row.needId('id'),
    conversation: row.needId('conversation_id'),
    role,
    author: null,
    content: row.needText('content'),
    tokensUsed: row.tokens('tokens_used'),
    metadata: row.json('metadata', 'legacy'),
    createdAt: row.has('timestamp') ? row.time('timestamp') : row.time('created_at'),
    order: row.number('message_order') ?? Number.MAX_SAFE_INTEGER,
  };
}
