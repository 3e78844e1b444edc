import type { MongoRow } from '../mongo-export.js';
import type { OldMessage, OldSession, Source, SourceRow } from '../source.js';
import { mustBeText, mustHaveId, readId, readTime, UnreadableValue } from '../values.js';
import { MongoFolder } from './mongo-folder.js';
import { LeftOut } from './reading.js';

const SESSION = new Set([
  '_id',
  'sessionId',
  'userId',
  'type',
  'status',
  'peerAdvocateId',
  'createdAt',
  'updatedAt',
  'lastMessageAt',
  '__v',
]);
const MESSAGE = new Set([
  '_id',
  'sessionId',
  'userId',
  'peerAdvocateId',
  'role',
  'source',
  'content',
  'createdAt',
  'readAt',
  '__v',
]);

/** mongoexport's files of the agent and peer chat backend. Sessions and messages meet by `sessionId`. */
export class PeerChatSource implements Source {
  readonly system = 'peer-chat';
  readonly ownerless = { username: `legacy-user-${Date.now()}`, shared: false };
  readonly unknownUsers = 'account';
  private readonly left = new LeftOut();

  private constructor(
    readonly location: string,
    readonly label: string,
    private readonly folder: MongoFolder,
  ) {}

  static async open(location: string, label = ''): Promise<PeerChatSource> {
    return new PeerChatSource(location, label, await MongoFolder.open(location));
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
    const type = row.type ?? 'agent';
    if (type !== 'agent' && type !== 'peer') throw new UnreadableValue('unknown type of session');
    return {
      kind: 'session' as const,
      id: mustHaveId(row.sessionId, 'sessionId'),
      owner: readId(row.userId),
      type: type,
      advocate: type === 'peer' ? readId(row.peerAdvocateId) : null,
      agentSlug: null,
      standing: false,
      title: null,
      closed: row.status === 'closed',
      createdAt: readTime(row.createdAt),
      updatedAt: readTime(row.updatedAt ?? row.lastMessageAt),
    };
  }

  private message(row: MongoRow): OldMessage {
    this.left.note('chatmessages', row, MESSAGE);
    const { role } = row;
    if (role !== 'user' && role !== 'agent' && role !== 'peer') throw new UnreadableValue('unknown role');
    const createdAt = readTime(row.createdAt);
    const readAt = readTime(row.readAt);
    const author = role === 'user' ? row.userId : row.peerAdvocateId;
    return {
      kind: 'message' as const,
      id: mustHaveId(row._id, '_id'),
      conversation: mustHaveId(row.sessionId, 'sessionId'),
      role: role,
      author: role === 'agent' ? null : readId(author),
      content: mustBeText(row.content, 'content'),
      tokensUsed: null,
      metadata: readAt ? { readAt: readAt.toISOString() } : null,
      createdAt,
      order: createdAt?.getTime() ?? 0,
    };
  }
}
