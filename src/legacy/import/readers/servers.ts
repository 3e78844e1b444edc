import pg from 'pg';
import Cursor from 'pg-cursor';
import {
  type OldChannel,
  type OldMembership,
  type OldMessage,
  type OldServer,
  type OldUser,
  type Source,
  SourceError,
  type SourceRow,
} from '../source.js';
import { mustBeText, mustHaveId, readId, readText, readTime, UnreadableValue } from '../values.js';
import { LeftOut, understood } from './reading.js';

type Row = Record<string, unknown>;

const CHUNK = 2_000;
const TIMESTAMP = 1114;
const USER = new Set([
  'user_id',
  'id',
  'username',
  'email',
  'password',
  'password_hash',
  'hashed_password',
  'full_name',
  'created_at',
]);
const SERVER = new Set(['id', 'name', 'icon', 'created_by', 'created_at']);
const CHANNEL = new Set(['id', 'server_id', 'name', 'type', 'position', 'topic', 'description', 'created_at']);
const MESSAGE = new Set(['id', 'server_id', 'channel_id', 'user_id', 'content', 'text', 'created_at', 'timestamp']);
const MEMBERSHIP = new Set(['id', 'server_id', 'user_id', 'role', 'joined_at']);
const TABLES = ['users', 'chatserver', 'servermembership', 'chatchannel', 'chatmessage'] as const;

/** The PostgreSQL database of the community servers backend, read through a cursor in one snapshot. */
export class ServersSource implements Source {
  readonly system = 'servers';
  readonly ownerless = { username: `legacy-user-${Date.now()}`, shared: false };
  readonly unknownUsers = 'orphan';
  readonly location: string;
  private readonly left = new LeftOut();

  private constructor(
    url: string,
    readonly label: string,
    private readonly client: pg.Client,
    private readonly other: string[],
  ) {
    const { host, pathname } = new URL(url);
    this.location = `postgres://${host}${pathname}`;
  }

  /** Throws SourceError where the database cannot be reached or has other tables. */
  static async open(url: string, label = ''): Promise<ServersSource> {
    if (!/^postgres(ql)?:\/\//.test(url)) throw new SourceError('Give a postgres:// URL as the source.');
    const client = new pg.Client({ connectionString: url, types: { getTypeParser: parserOf } });
    try {
      await client.connect();
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const { rows } = await client.query<{ name: string }>(
        `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()`,
      );
      const names = rows.map(({ name }) => name);
      const missing = TABLES.filter((table) => !names.includes(table));
      if (missing.length > 0) throw new SourceError(`The source has no table ${missing.join(', ')}.`);
      return new ServersSource(
        url,
        label,
        client,
        names.filter((name) => !(TABLES as readonly string[]).includes(name)),
      );
    } catch (error) {
      await client.end().catch(() => undefined);
      if (error instanceof SourceError) throw error;
      throw new SourceError(`The source cannot be opened: ${(error as Error).message || 'no answer'}.`);
    }
  }

  async count(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const table of TABLES) {
      const { rows } = await this.client.query<{ n: string }>(`SELECT count(*) AS n FROM ${table}`);
      counts[table] = Number(rows[0]?.n);
    }
    return counts;
  }

  async *rows(): AsyncGenerator<SourceRow> {
    this.left.clear();
    for (const name of this.other) this.left.add(name);
    yield* this.table('users', 'created_at', (row) => this.user(row));
    yield* this.table('chatserver', 'created_at', (row) => this.server(row));
    yield* this.table('servermembership', 'joined_at', (row) => this.membership(row));
    yield* this.table('chatchannel', 'position', (row) => this.channel(row));
    yield* this.table('chatmessage', 'created_at', (row) => this.message(row));
  }

  leftOut(): Record<string, number> {
    return this.left.all();
  }

  async close(): Promise<void> {
    await this.client.end();
  }

  private async *table(name: string, order: string, understand: (row: Row) => SourceRow['entry']) {
    const cursor = this.client.query(
      new Cursor<Row>(`SELECT * FROM ${name} ORDER BY ${await this.orderOf(name, order)}`),
    );
    for (let rows = await cursor.read(CHUNK); rows.length > 0; rows = await cursor.read(CHUNK)) {
      for (const row of rows) yield understood(name, row, () => understand(row));
    }
    await cursor.close();
  }

  private async orderOf(table: string, wanted: string): Promise<string> {
    const { rows } = await this.client.query<{ name: string }>(
      `SELECT column_name AS name FROM information_schema.columns
       WHERE table_schema = current_schema() AND table_name = $1 AND column_name IN ($2, 'id', 'user_id')
       ORDER BY column_name <> $2, column_name`,
      [table, wanted],
    );
    return rows.map(({ name }) => `"${name}"`).join(', ') || 'ctid';
  }

  private user(row: Row): OldUser {
    this.left.note('users', row, USER);
    return {
      kind: 'user' as const,
      id: mustHaveId(row.user_id ?? row.id, 'user_id'),
      username: readText(row.username),
      email: readText(row.email),
      displayName: readText(row.full_name),
      password: readText(row.password_hash) ?? readText(row.hashed_password) ?? readText(row.password),
      createdAt: readTime(row.created_at),
    };
  }

  private server(row: Row): OldServer {
    this.left.note('chatserver', row, SERVER);
    const icon = readText(row.icon);
    const isUrl = icon !== null && /^https?:\/\//.test(icon);
    if (icon && !isUrl) this.left.add('chatserver.icon (no URL)');
    return {
      kind: 'server' as const,
      id: mustHaveId(row.id, 'id'),
      name: mustBeText(row.name, 'name'),
      iconUrl: isUrl ? icon : null,
      createdBy: readId(row.created_by),
      createdAt: readTime(row.created_at),
    };
  }

  private membership(row: Row): OldMembership {
    this.left.note('servermembership', row, MEMBERSHIP);
    const role = (readText(row.role) ?? 'MEMBER').toUpperCase();
    if (role !== 'ADMIN' && role !== 'MODERATOR' && role !== 'MEMBER') throw new UnreadableValue('unknown role');
    return {
      kind: 'membership' as const,
      id: mustHaveId(row.id, 'id'),
      server: mustHaveId(row.server_id, 'server_id'),
      user: mustHaveId(row.user_id, 'user_id'),
      role: role,
      joinedAt: readTime(row.joined_at),
    };
  }

  private channel(row: Row): OldChannel {
    this.left.note('chatchannel', row, CHANNEL);
    const type = (readText(row.type) ?? 'TEXT').toUpperCase();
    if (type !== 'TEXT' && type !== 'VOICE') throw new UnreadableValue('unknown type of channel');
    return {
      kind: 'channel' as const,
      id: mustHaveId(row.id, 'id'),
      server: mustHaveId(row.server_id, 'server_id'),
      name: mustBeText(row.name, 'name'),
      type: type,
      position: Number.isInteger(row.position) ? (row.position as number) : 0,
      topic: readText(row.topic) ?? readText(row.description),
      createdAt: readTime(row.created_at),
    };
  }

  private message(row: Row): OldMessage {
    this.left.note('chatmessage', row, MESSAGE);
    const createdAt = readTime(row.created_at ?? row.timestamp);
    return {
      kind: 'message' as const,
      id: mustHaveId(row.id, 'id'),
      conversation: mustHaveId(row.channel_id, 'channel_id'),
      role: 'user' as const,
      author: mustHaveId(row.user_id, 'user_id'),
      content: mustBeText(row.content ?? row.text, 'content'),
      tokensUsed: null,
      metadata: null,
      createdAt,
      order: createdAt?.getTime() ?? 0,
    };
  }
}

/** A timestamp without a zone stays text, which readTime takes as UTC; the driver would take it as local. */
function parserOf(oid: number, format?: 'text' | 'binary') {
  if (oid === TIMESTAMP) return (value: string) => value;
  return pg.types.getTypeParser(oid, format) as (value: string) => unknown;
}
