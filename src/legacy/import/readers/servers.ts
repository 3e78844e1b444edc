import { PostgresSource } from '../postgres.js';
import type { Row } from '../row.js';
import {
  type OldChannel,
  type OldMembership,
  type OldMessage,
  type OldServer,
  type OldUser,
  type Source,
  SourceError,
} from '../source.js';
import { UnreadableValue } from '../values.js';

const TABLES = ['users', 'chatserver', 'servermembership', 'chatchannel', 'chatmessage'] as const;
const MAX_POSITION = 2 ** 31 - 1;

/** The PostgreSQL database of the community servers backend. */
export async function openServers(url: string, label = ''): Promise<Source> {
  const database = await PostgresSource.open(url);
  try {
    const tables = await database.tables();
    const missing = TABLES.filter((table) => !tables.includes(table));
    if (missing.length > 0) throw new SourceError(`The source has no table ${missing.join(', ')}.`);
    return await sourceOf(database, label);
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function sourceOf(database: PostgresSource, label: string): Promise<Source> {
  const serverOfChannel = new Map<string, string>();
  const table = (name: (typeof TABLES)[number], ...order: string[]) => ({
    name,
    count: () => database.count(name),
    rows: () => database.rows(name, ...order),
  });
  return {
    system: 'servers',
    label,
    location: database.location,
    ownerless: `legacy-user-${Date.now()}`,
    unknownUsers: 'orphan',
    tables: [
      { ...table('users', 'created_at', 'user_id'), understand: readUser },
      { ...table('chatserver', 'created_at', 'id'), understand: readServer },
      { ...table('servermembership', 'joined_at', 'id'), understand: readMembership },
      { ...table('chatchannel', 'position', 'id'), understand: (row) => readChannel(row, serverOfChannel) },
      { ...table('chatmessage', 'created_at', 'id'), understand: (row) => readMessage(row, serverOfChannel) },
    ],
    otherTables: await database.othersThan(TABLES),
    close: () => database.close(),
  };
}

function readUser(row: Row): OldUser {
  const password = ['password_hash', 'hashed_password', 'password'].find((name) => row.has(name));
  return {
    kind: 'user',
    id: row.needId(row.has('user_id') ? 'user_id' : 'id'),
    username: row.text('username'),
    email: row.text('email'),
    displayName: row.text(row.has('full_name') ? 'full_name' : 'name'),
    password: password ? row.text(password) : null,
    createdAt: row.time('created_at'),
  };
}

function readServer(row: Row): OldServer {
  return {
    kind: 'server',
    id: row.needId('id'),
    name: row.needName('name'),
    iconUrl: row.url('icon'),
    createdBy: row.id('created_by'),
    createdAt: row.time('created_at'),
  };
}

function readMembership(row: Row): OldMembership {
  const role = (row.text('role') ?? 'MEMBER').toUpperCase();
  if (role !== 'ADMIN' && role !== 'MODERATOR' && role !== 'MEMBER') throw new UnreadableValue('unknown role');
  return {
    kind: 'membership',
    id: row.needId('id'),
    server: row.needId('server_id'),
    user: row.needId('user_id'),
    role,
    joinedAt: row.time('joined_at'),
  };
}

function readChannel(row: Row, serverOfChannel: Map<string, string>): OldChannel {
  const type = (row.text('type') ?? 'TEXT').toUpperCase();
  if (type !== 'TEXT' && type !== 'VOICE') throw new UnreadableValue('unknown type of channel');
  const channel: OldChannel = {
    kind: 'channel',
    id: row.needId('id'),
    server: row.needId('server_id'),
    name: row.needName('name'),
    type,
    position: readPosition(row),
    topic: row.text(row.has('topic') ? 'topic' : 'description'),
    createdAt: row.time('created_at'),
  };
  serverOfChannel.set(channel.id, channel.server);
  return channel;
}

function readPosition(row: Row): number {
  const position = Math.trunc(row.number('position') ?? 0);
  if (Math.abs(position) > MAX_POSITION) throw new UnreadableValue('unreadable position');
  return position;
}

function readMessage(row: Row, serverOfChannel: Map<string, string>): OldMessage {
  const createdAt = row.time(row.has('created_at') ? 'created_at' : 'timestamp');
  const conversation = row.needId('channel_id');
  const server = row.id('server_id');
  if (server !== null && server !== (serverOfChannel.get(conversation) ?? server)) {
    throw new UnreadableValue('its server_id is not that of its channel');
  }
  return {
    kind: 'message',
    id: row.needId('id'),
    conversation,
    role: 'user',
    author: row.needId('user_id'),
    content: row.needText(row.has('content') ? 'content' : 'text'),
    tokensUsed: null,
    metadata: null,
    createdAt,
    order: createdAt?.getTime() ?? 0,
  };
}
