import type { MongoRow } from '../mongo-export.js';
import type { OldMessage, OldSession, Source, SourceRow } from '../source.js';
import { mustBeText, mustHaveId, readId, readTime, UnreadableValue } from '../values.js';
import { MongoFolder } from './mongo-folder.js';
import { LeftOut } from './reading.js';

const SESSION = new Set(['_id', 'characterId', 'userId', 'createdAt', 'updatedAt', '__v']);
const MESSAGE = new Set(['_id', 'sessionId', 'userId', 'role', 'sender', 'content', 'createdAt', 'updatedAt', '__v']);
const ROLES: Record<string, 'user' | 'agent' | 'system'> = {
  user: 'user',
  human: 'user',
  assistant: 'agent',
  agent: 'agent',
  ai: 'agent',
  bot: 'agent',
  character: 'agent',
  system: 'system',
};

/** mongoexport's files of the characters backend. */
export class CharactersSource implements Source {
  readonly system = 'characters';
  readonly ownerless = { username: `legacy-user-${Date.now()}`, shared: false };
  readonly unknownUsers = 'account';
  private readonly left = new LeftOut();

  private constructor(
    readonly location: string,
    readonly label: string,
    private readonly folder: MongoFolder,
  ) {}

  static async open(location: string, label = ''): Promise<CharactersSource> {
    return new CharactersSource(location, label, await MongoFolder.open(location));
  }

  count(): Promise<Record<string, number>> {
    return this.folder.count();
  }

  rows(): AsyncIterable<SourceRow> {
    this.left.clear();
    return this.folder.rows(
      (row) => this.session(row),
      (row) => this.message(row),
    );
  }

  leftOut(): Record<string, number> {
    return this.left.all();
  }

  async close(): Promise<void> {}

  private session(row: MongoRow): OldSession {
    this.left.note('chatsessions', row, SESSION);
    return {
      kind: 'session' as const,
      id: mustHaveId(row._id, '_id'),
      owner: readId(row.userId),
      type: 'agent' as const,
      advocate: null,
      agentSlug: mustHaveId(row.characterId, 'characterId'),
      standing: true,
      title: null,
      closed: false,
      createdAt: readTime(row.createdAt),
      updatedAt: readTime(row.updatedAt),
    };
  }

  private message(row: MongoRow): OldMessage {
    this.left.note('chatmessages', row, MESSAGE);
    const role = ROLES[String(row.role ?? row.sender)];
    if (!role) throw new UnreadableValue('unknown role');
    const createdAt = readTime(row.createdAt);
    return {
      kind: 'message' as const,
      id: mustHaveId(row._id, '_id'),
      conversation: mustHaveId(row.sessionId, 'sessionId'),
      role,
      author: role === 'user' ? readId(row.userId) : null,
      content: mustBeText(row.content, 'content'),
      tokensUsed: null,
      metadata: null,
      createdAt,
      order: createdAt?.getTime() ?? 0,
    };
  }
}
