import { type OldMessage, type OldSession, type Source, SourceError, type SourceRow } from '../source.js';
import { SqliteFile, type SqliteRow } from '../sqlite.js';
import { mustBeText, mustHaveId, namedId, readText, readTime, readTokens, UnreadableValue } from '../values.js';
import { LeftOut, understood } from './reading.js';

const CONVERSATION = new Set(['id', 'title', 'created_at', 'updated_at']);
const MESSAGE = new Set([
  'id',
  'conversation_id',
  'role',
  'content',
  'message_order',
  'tokens_used',
  'metadata',
  'timestamp',
  'created_at',
]);
const ROLES: Record<string, 'user' | 'agent' | 'system'> = { user: 'user', assistant: 'agent', system: 'system' };

/** The one-person SQLite file of conversations with a model. */
export class ConversationsSource implements Source {
  readonly system = 'conversations';
  readonly ownerless = { username: 'migrated_user', shared: true };
  readonly unknownUsers = 'orphan';
  private readonly left = new LeftOut();

  private constructor(
    readonly location: string,
    readonly label: string,
    private readonly file: SqliteFile,
  ) {}

  static recognises(tables: string[], columns: string[]): boolean {
    return tables.includes('conversations') && tables.includes('messages') && columns.includes('conversation_id');
  }

  static async open(location: string, label?: string): Promise<ConversationsSource> {
    const file = await SqliteFile.open(location);
    if (!ConversationsSource.recognises(file.tables(), file.columns('messages'))) {
      await file.close();
      throw new SourceError(`${location} has no tables conversations and messages as this system makes them.`);
    }
    const [first] = file.rows('conversations', 'rowid LIMIT 1');
    return new ConversationsSource(
      location,
      label ?? (first ? namedId(String(first.id), String(first.created_at)) : ''),
      file,
    );
  }

  async count(): Promise<Record<string, number>> {
    return { conversations: this.file.count('conversations'), messages: this.file.count('messages') };
  }

  async *rows(): AsyncGenerator<SourceRow> {
    this.left.clear();
    for (const table of this.file.tables()) {
      if (table !== 'conversations' && table !== 'messages') this.left.add(table, this.file.count(table));
    }
    for (const row of this.file.rows('conversations')) yield understood('conversations', row, () => this.session(row));
    for (const row of this.file.rows('messages')) yield understood('messages', row, () => this.message(row));
  }

  leftOut(): Record<string, number> {
    return this.left.all();
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private session(row: SqliteRow): OldSession {
    this.left.note('conversations', row, CONVERSATION);
    return {
      kind: 'session' as const,
      id: mustHaveId(row.id, 'id'),
      owner: null,
      type: 'agent' as const,
      advocate: null,
      agentSlug: null,
      standing: false,
      title: readText(row.title)?.trim() || 'Migrated Conversation',
      closed: false,
      createdAt: readTime(row.created_at),
      updatedAt: readTime(row.updated_at),
    };
  }

  private message(row: SqliteRow): OldMessage {
    this.left.note('messages', row, MESSAGE);
    const createdAt = readTime(row.timestamp ?? row.created_at);
    const role = ROLES[String(row.role)];
    if (!role) throw new UnreadableValue('unknown role');
    return {
      kind: 'message' as const,
      id: mustHaveId(row.id, 'id'),
      conversation: mustHaveId(row.conversation_id, 'conversation_id'),
      role,
      author: null,
      content: mustBeText(row.content, 'content'),
      tokensUsed: readTokens(row.tokens_used),
      metadata: readMetadata(row.metadata),
      createdAt,
      order: Number(row.message_order ?? Number.MAX_SAFE_INTEGER),
    };
  }
}

/** JSON as it stands; what is no JSON object stays readable under `legacy`. */
function readMetadata(value: unknown): Record<string, unknown> | null {
  if (value === null || value === undefined || value === '') return null;
  if (typeof value === 'string') {
    try {
      const parsed: unknown = JSON.parse(value);
      if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
    } catch {
      return { legacy: value };
    }
  }
  return { legacy: value };
}
