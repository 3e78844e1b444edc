import { type OldMessage, type OldSession, type OldUser, type Source, SourceError, type SourceRow } from '../source.js';
import { SqliteFile, type SqliteRow } from '../sqlite.js';
import { mustBeText, mustHaveId, namedId, readId, readText, readTime, UnreadableValue } from '../values.js';
import { LeftOut, understood } from './reading.js';

const USER = new Set(['id', 'username', 'email', 'name', 'password', 'password_hash', 'created_at']);
const SESSION = new Set(['id', 'title', 'created_at', 'updated_at', 'owner_id']);
const MESSAGE = new Set(['id', 'content', 'is_user_message', 'created_at', 'session_id']);

/** The SQLAlchemy file of the chat sessions backend: integer keys, both sides of the talk stored as told. */
export class ChatSessionsSource implements Source {
  readonly system = 'chat-sessions';
  readonly ownerless = { username: 'legacy-user', shared: false };
  readonly unknownUsers = 'orphan';
  private readonly left = new LeftOut();

  private constructor(
    readonly location: string,
    readonly label: string,
    private readonly file: SqliteFile,
  ) {}

  static recognises(tables: string[]): boolean {
    return tables.includes('chat_session') && tables.includes('chat_message');
  }

  /** Keys are 1, 2, 3 in every installation: its first session tells one from another, unless a label does. */
  static async open(location: string, label?: string): Promise<ChatSessionsSource> {
    const file = await SqliteFile.open(location);
    if (!ChatSessionsSource.recognises(file.tables())) {
      await file.close();
      throw new SourceError(`${location} has no tables chat_session and chat_message.`);
    }
    const [first] = file.rows('chat_session', 'id LIMIT 1');
    const found = first ? namedId(String(first.id), String(first.created_at), String(first.owner_id)) : '';
    return new ChatSessionsSource(location, label ?? found, file);
  }

  async count(): Promise<Record<string, number>> {
    const tables = this.file.tables().includes('user')
      ? ['user', 'chat_session', 'chat_message']
      : ['chat_session', 'chat_message'];
    return Object.fromEntries(tables.map((table) => [table, this.file.count(table)]));
  }

  async *rows(): AsyncGenerator<SourceRow> {
    this.left.clear();
    for (const table of this.file.tables()) {
      if (!['user', 'chat_session', 'chat_message'].includes(table)) this.left.add(table, this.file.count(table));
    }
    if (this.file.tables().includes('user')) {
      for (const row of this.file.rows('user')) yield understood('user', row, () => this.user(row));
    }
    for (const row of this.file.rows('chat_session')) yield understood('chat_session', row, () => this.session(row));
    for (const row of this.file.rows('chat_message')) yield understood('chat_message', row, () => this.message(row));
  }

  leftOut(): Record<string, number> {
    return this.left.all();
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private user(row: SqliteRow): OldUser {
    this.left.note('user', row, USER);
    return {
      kind: 'user' as const,
      id: mustHaveId(row.id, 'id'),
      username: readText(row.username),
      email: readText(row.email),
      displayName: readText(row.name),
      password: readText(row.password_hash) ?? readText(row.password),
      createdAt: readTime(row.created_at),
    };
  }

  private session(row: SqliteRow): OldSession {
    this.left.note('chat_session', row, SESSION);
    return {
      kind: 'session' as const,
      id: mustHaveId(row.id, 'id'),
      owner: readId(row.owner_id),
      type: 'agent' as const,
      advocate: null,
      agentSlug: null,
      standing: false,
      title: readText(row.title),
      closed: false,
      createdAt: readTime(row.created_at),
      updatedAt: readTime(row.updated_at),
    };
  }

  private message(row: SqliteRow): OldMessage {
    this.left.note('chat_message', row, MESSAGE);
    const createdAt = readTime(row.created_at);
    return {
      kind: 'message' as const,
      id: mustHaveId(row.id, 'id'),
      conversation: mustHaveId(row.session_id, 'session_id'),
      role: readSide(row.is_user_message),
      author: null,
      content: mustBeText(row.content, 'content'),
      tokensUsed: null,
      metadata: null,
      createdAt,
      order: createdAt?.getTime() ?? 0,
    };
  }
}

function readSide(value: unknown): 'user' | 'agent' {
  if (value === null || value === undefined || value === 1 || value === true) return 'user';
  if (value === 0 || value === false) return 'agent';
  throw new UnreadableValue('unknown role');
}
