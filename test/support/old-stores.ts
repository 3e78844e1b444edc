import Database from 'libsql';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';

/** `open sesame`, as Flask-Bcrypt and as Werkzeug keep it, in their cheapest forms. */
export const OPEN_SESAME = {
  bcrypt: '$2b$04$9TcdE9wb9jfdZxhUS6nfOOkS/62Q5dqf.RSOrbqKXXaoWrq08PVYm',
  werkzeug: 'pbkdf2:sha256:1000$saltsalt$0bec386e4931bb1ffa8aec412475c70a97b1c7eb7edf4637cba9cbc24b4e6c3c',
  scrypt:
    'scrypt:1024:8:1$saltsalt$4cfd7497f274bfb76af9b4e7e816f15e27b150ac425918f3d0a3141fea993df4' +
    'aa3638537e087f12f0b2e67fa290e4868b6ffb06729fe9fe1dad706bad910281',
};

export function sqlite(file: string, sql: string): string {
  const db = new Database(file);
  db.exec(sql);
  db.close();
  return file;
}

const CHAT_SESSIONS = `
  CREATE TABLE user (id INTEGER PRIMARY KEY, username TEXT, email TEXT, password TEXT, created_at DATETIME);
  CREATE TABLE chat_session (id INTEGER PRIMARY KEY, title TEXT NOT NULL, created_at DATETIME, updated_at DATETIME,
    owner_id INTEGER NOT NULL);
  CREATE TABLE chat_message (id INTEGER, content TEXT, is_user_message BOOLEAN, created_at, session_id INTEGER);`;

/** An SQLAlchemy file: ada and bob with a session each, and this many messages in turn, a second apart. */
export function chatSessions(file: string, messages: number, more = ''): string {
  return sqlite(
    file,
    `${CHAT_SESSIONS}
     INSERT INTO user VALUES (1, 'ada', 'ada@example.org', '${OPEN_SESAME.bcrypt}', '2024-01-01'),
       (2, 'bob', 'bob@example.org', '${OPEN_SESAME.werkzeug}', '2024-01-02');
     INSERT INTO chat_session VALUES (1, 'First', '2024-01-15 10:30:00.000123', '2024-01-15 11:00:00', 1),
       (2, 'Second', '2024-01-16 10:30:00', '2024-01-16 11:00:00', 2);
     WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${messages})
     INSERT INTO chat_message
     SELECT i, 'message ' || i, i % 2, datetime(1705314600 + i, 'unixepoch'), 1 + i % 2 FROM n;
     ${more}`,
  );
}

/** The one-person file with a conversation of three messages, out of order, and whatever is added. */
export function conversations(file: string, more = ''): string {
  return sqlite(
    file,
    `CREATE TABLE conversations (id TEXT PRIMARY KEY, title TEXT, created_at TIMESTAMP, updated_at TIMESTAMP);
     CREATE TABLE messages (id TEXT, conversation_id TEXT, role TEXT, content TEXT, message_order INTEGER,
       tokens_used, metadata TEXT, timestamp TIMESTAMP);
     INSERT INTO conversations VALUES ('c-1', NULL, 1705314600, 1705314700);
     INSERT INTO messages VALUES
       ('m-2', 'c-1', 'assistant', 'Hello.', 2, 12, '{"model": "gpt", "at": [1]}', 1705314602000),
       ('m-1', 'c-1', 'user', 'Hi!', 1, NULL, 'not { json', 1705314601),
       ('m-3', 'c-1', 'system', 'Bye.', 3, 0, NULL, '2024-01-15 10:30:03+00:00');
     ${more}`,
  );
}

/** Files as mongoexport writes them; a text is written as it is, an array as a JSON array. */
export async function mongoFolder(
  folder: string,
  sessions: unknown[] | string,
  messages: unknown[] | string,
  users?: unknown[],
) {
  await mkdir(folder, { recursive: true });
  const text = (rows: unknown[] | string) => (typeof rows === 'string' ? rows : JSON.stringify(rows));
  await writeFile(path.join(folder, 'chatsessions.json'), text(sessions));
  await writeFile(path.join(folder, 'chatmessages.json'), text(messages));
  if (users) await writeFile(path.join(folder, 'users.json'), text(users));
  return folder;
}

export const oid = (n: number) => ({ $oid: n.toString(16).padStart(24, '0') });
export const day = (n: number) => ({ $date: `2024-01-${String(n).padStart(2, '0')}T10:00:00.000Z` });
export const dayInNumbers = (n: number) => ({ $date: { $numberLong: String(Date.UTC(2024, 0, n, 10)) } });

/** Makes the community servers' tables in an empty database: ada's server with bob and two channels. */
export async function communityServers(url: string, more = ''): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(COMMUNITY + more);
  } finally {
    await client.end();
  }
}

const COMMUNITY = `
  CREATE TABLE users (user_id uuid PRIMARY KEY, username text, email text, password text, phone text);
  CREATE TABLE chatserver (id uuid PRIMARY KEY, name text, icon text, created_by uuid, created_at timestamp);
  CREATE TABLE chatchannel (id uuid PRIMARY KEY, server_id uuid, name text, type text, position integer);
  CREATE TABLE chatmessage (id uuid PRIMARY KEY, server_id uuid, channel_id uuid, user_id uuid, content text,
    created_at timestamp);
  CREATE TABLE servermembership (id uuid PRIMARY KEY, server_id uuid, user_id uuid, role text, joined_at timestamp);
  CREATE TABLE todo (id integer);
  INSERT INTO todo VALUES (1), (2);
  INSERT INTO users VALUES
    ('00000000-0000-4000-8000-00000000000a', 'ada', 'ada@example.org', '${OPEN_SESAME.bcrypt}', '555'),
    ('00000000-0000-4000-8000-00000000000b', 'bob', 'bob@example.org', 'plain', NULL);
  INSERT INTO chatserver VALUES
    ('00000000-0000-4000-8000-0000000000c1', 'Home', 'H', '00000000-0000-4000-8000-00000000000a', '2024-01-01 10:00:00');
  INSERT INTO servermembership VALUES
    (gen_random_uuid(), '00000000-0000-4000-8000-0000000000c1', '00000000-0000-4000-8000-00000000000a', 'ADMIN', '2024-01-01'),
    (gen_random_uuid(), '00000000-0000-4000-8000-0000000000c1', '00000000-0000-4000-8000-00000000000b', 'member', '2024-01-02'),
    (gen_random_uuid(), '00000000-0000-4000-8000-0000000000c1', '00000000-0000-4000-8000-00000000000b', 'MEMBER', '2024-01-03'),
    (gen_random_uuid(), '00000000-0000-4000-8000-0000000000c1', gen_random_uuid(), 'MEMBER', '2024-01-04');
  INSERT INTO chatchannel VALUES
    ('00000000-0000-4000-8000-0000000000d1', '00000000-0000-4000-8000-0000000000c1', 'general', 'TEXT', 0),
    ('00000000-0000-4000-8000-0000000000d2', '00000000-0000-4000-8000-0000000000c1', 'General', 'TEXT', 1),
    ('00000000-0000-4000-8000-0000000000d3', '00000000-0000-4000-8000-0000000000c1', 'Voice', 'voice', 2);
  INSERT INTO chatmessage
  SELECT gen_random_uuid(), '00000000-0000-4000-8000-0000000000c1', '00000000-0000-4000-8000-0000000000d1',
    ('00000000-0000-4000-8000-00000000000' || CASE n % 2 WHEN 0 THEN 'a' ELSE 'b' END)::uuid, 'message ' || n,
    timestamp '2024-01-15 10:30:00.5' + n * interval '1 second'
  FROM generate_series(1, 5000) n;`;

/** A chat of Open WebUI as JSON, from messages as `id: [parent, role, content, more?]`. */
export function webUiChat(current: string | null, messages: Record<string, [string | null, string, unknown, object?]>) {
  const entries = Object.entries(messages).map(([id, [parentId, role, content, more]], at) => [
    id,
    { id, parentId, childrenIds: [], role, content, timestamp: 1705314600 + at, ...more },
  ]);
  return {
    title: 'Tree',
    models: ['llama3:8b'],
    history: { currentId: current, messages: Object.fromEntries(entries) },
  };
}

/** The file of Open WebUI: ada, who may sign in, bob, who is switched off, and these chats of hers. */
export function webUi(file: string, chats: Record<string, unknown>, more = ''): string {
  const rows = Object.entries(chats).map(([id, chat], at) => {
    const json = (typeof chat === 'string' ? chat : JSON.stringify(chat)).replaceAll("'", "''");
    return `('${id}', 'u-1', 'Tree', '${json}', ${1705314600 + at}, 1705314700000, 0)`;
  });
  return sqlite(
    file,
    `CREATE TABLE user (id TEXT PRIMARY KEY, name TEXT, email TEXT, role TEXT, created_at INTEGER);
     CREATE TABLE auth (id TEXT PRIMARY KEY, email TEXT, password TEXT, active INTEGER);
     CREATE TABLE chat (id TEXT PRIMARY KEY, user_id TEXT, title TEXT, chat JSON, created_at INTEGER,
       updated_at INTEGER, archived INTEGER);
     INSERT INTO user VALUES ('u-1', 'Ada Lovelace', 'ada@example.org', 'admin', 1705000000),
       ('u-2', 'Bob', 'bob@example.org', 'user', 1705000000);
     INSERT INTO auth VALUES ('u-1', 'ada@example.org', '${OPEN_SESAME.bcrypt}', 1),
       ('u-2', 'bob@example.org', '${OPEN_SESAME.bcrypt}', 0);
     INSERT INTO chat VALUES ${rows.join(', ')};
     ${more}`,
  );
}
