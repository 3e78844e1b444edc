import type { RawRow, Row } from '../row.js';
import { type OldMessage, type OldSession, type OldUser, type Source, SourceError } from '../source.js';
import { SqliteFile } from '../sqlite.js';
import { fingerprint, UnreadableValue } from '../values.js';

const TABLES = ['chat_session', 'chat_message'];

export function isChatSessions(file: SqliteFile): boolean {
  const tables = file.tables();
  return tables.includes('chat_session') && tables.includes('chat_message');
}

/** The SQLAlchemy file of the chat sessions backend: integer keys, both sides of the talk stored as told. */
export async function openChatSessions(location: string, label?: string): Promise<Source> {
  const file = await SqliteFile.open(location);
  if (!isChatSessions(file)) {
    await file.close();
    throw new SourceError(`${location} has no tables chat_session and chat_message.`);
  }
  // Without it every message would be the person's own.
  if (!file.columns('chat_message').includes('is_user_message')) {
    await file.close();
    throw new SourceError(`${location} is of another schema: chat_message has no column is_user_message.`);
  }
  const people = ['user', 'users'].find((name) => file.tables().includes(name));
  const table = (name: string) => ({ name, count: () => file.count(name), rows: () => file.rows(name) });
  return {
    system: 'chat-sessions',
    label: label ?? installation(file),
    location,
    ownerless: `legacy-user-${Date.now()}`,
    unknownUsers: people ? 'orphan' : 'account',
    tables: [
      ...(people ? [{ ...table(people), understand: readUser }] : []),
      { ...table('chat_session'), understand: readSession },
      { ...table('chat_message'), understand: readMessage },
    ],
    otherTables: file.othersThan([...TABLES, ...(people ? [people] : [])]),
    close: () => file.close(),
  };
}

/** Keys are 1, 2, 3 in every installation: its first session tells one from another. */
function installation(file: SqliteFile): string {
  const first = file.rows('chat_session', 'id LIMIT 1').next().value as RawRow | undefined;
  return first ? fingerprint(String(first.id), String(first.created_at), String(first.owner_id)) : '';
}

function readUser(row: Row): OldUser {
  return {
    kind: 'user',
    id: row.needId('id'),
    username: row.text('username'),
    email: row.text('email'),
    displayName: row.text('name'),
    password: row.has('password_hash') ? row.text('password_hash') : row.text('password'),
    createdAt: row.time('created_at'),
  };
}

function readSession(row: Row): OldSession {
  return {
    kind: 'session',
    id: row.needId('id'),
    owner: row.id('owner_id'),
    type: 'agent',
    advocate: null,
    agentSlug: null,
    standing: false,
    title: row.text('title'),
    closed: false,
    createdAt: row.time('created_at'),
    updatedAt: row.time('updated_at'),
  };
}

function readMessage(row: Row): OldMessage {
  const createdAt = row.time('created_at');
  return {
    kind: 'message',
    id: row.needId('id'),
    conversation: row.needId('session_id'),
    role: readSide(row.take('is_user_message')),
    author: null,
    content: row.needText('content'),
    tokensUsed: null,
    metadata: null,
    createdAt,
    order: createdAt?.getTime() ?? 0,
  };
}

/** SQLAlchemy keeps a BOOLEAN as 0 and 1; its column's default is true. */
function readSide(value: unknown): 'user' | 'agent' {
  if (value === null || value === 1 || value === '1' || value === 'true') return 'user';
  if (value === 0 || value === '0' || value === 'false') return 'agent';
  throw new UnreadableValue('unknown role');
}
