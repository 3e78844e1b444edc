import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { dataSourceOptions } from '../../ormconfig.js';
import { HistoryService } from '../../src/messages/history.service.js';
import { createEmptyDatabase, type TestDatabase } from '../support/test-database.js';
import { startServices } from '../support/services.js';

/** The newest migration of the release before this one (`npm run release` sets it): what comes after it is the upgrade. */
const RELEASED = 'ListAdministrators1790000000103';
const ECHO = '01990000-0000-7000-8000-000000000001';
/** Columns of that release, which an upgrade must leave as they are. */
const KEPT: Record<string, string> = {
  users: 'id, username, username_key, email, password_hash, is_admin',
  logins: 'id, user_id, refresh_hash, expires_at',
  conversations: 'id, kind, last_seq, last_rev, cleared_seq, closed',
  servers: 'id, name, created_by',
  channels: 'id, server_id, name, type, position',
  memberships: 'server_id, user_id, role',
  sessions: 'id, owner_id, type, status, title, agent_id',
  messages:
    'conversation_id, seq, id, rev, author_id, role, content, nonce, sent_hash, reply_to_id, created_at, deleted_at',
  message_revisions: 'conversation_id, message_id, rev, content',
  read_markers: 'conversation_id, user_id, seq',
};

describe('an upgrade from the release before', () => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeEach(async () => {
    database = await createEmptyDatabase();
    dataSource = await new DataSource(dataSourceOptions(database.url, 4)).initialize();
  });
  afterEach(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  const contents = async () => {
    const tables = Object.entries(KEPT).map(async ([table, columns]) => {
      const rows: unknown[] = await dataSource.query(`SELECT ${columns} FROM ${table} ORDER BY ${columns}`);
      return [table, rows] as const;
    });
    return Object.fromEntries(await Promise.all(tables));
  };

  it('keeps what people have said and who they are, forwards, back and forwards again', async () => {
    const all = dataSource.migrations.map(({ name }) => name ?? '').sort(byTime);
    const released = all.slice(0, all.indexOf(RELEASED) + 1);
    const before = await migratedTo(released, database.url);
    await before.destroy();
    const { room } = await fill(dataSource);
    const old = await contents();
    expect(old.messages).toHaveLength(4);

    const news = await dataSource.runMigrations();
    expect(news).toHaveLength(all.length - released.length);
    expect(await contents()).toEqual(old);
    const services = await startServices(database.url);
    const { items } = await services.app.get(HistoryService).page({ room } as never, {}, 10);
    expect(items.map(({ content }) => content)).toEqual(['one', null, 'three, edited', 'an answer']);
    await services.close();

    for (const _ of news) await dataSource.undoLastMigration();
    expect(await contents()).toEqual(old);
    expect(await dataSource.runMigrations()).toHaveLength(news.length);
    expect(await contents()).toEqual(old);
  }, 120_000);

  it('can begin at this release as well, once it is made', async () => {
    await dataSource.runMigrations();
    await fill(dataSource);
    expect((await contents()).messages).toHaveLength(4);
  });
});

function byTime(a: string, b: string): number {
  return Number(/\d+$/.exec(a)) - Number(/\d+$/.exec(b));
}

async function migratedTo(names: string[], url: string): Promise<DataSource> {
  const options = dataSourceOptions(url, 2);
  const migrations = (options.migrations as (new () => { name: string })[]).filter((each) => names.includes(each.name));
  const dataSource = await new DataSource({ ...options, migrations }).initialize();
  await dataSource.runMigrations();
  return dataSource;
}

/** Rows of every kind, written as the release before wrote them. */
async function fill(dataSource: DataSource): Promise<{ room: { id: string } }> {
  const [ada, bob, server, channel, session] = Array.from({ length: 5 }, () => uuidv7());
  const sql = (text: string, values: unknown[] = []) => dataSource.query(text, values);
  for (const [id, name] of [
    [ada, 'Ada'],
    [bob, 'bob'],
  ])
    await sql(
      `INSERT INTO users (id, username, username_key, email, email_key, display_name, password_hash)
       VALUES ($1, $2, lower($2), $2 || '@example.org', lower($2) || '@example.org', $2, 'a hash')`,
      [id, name],
    );
  await sql(
    `INSERT INTO logins (id, user_id, refresh_hash, family_hash, expires_at)
     VALUES ($1, $2, sha256('r'), sha256('f'), now() + interval '1 day')`,
    [uuidv7(), ada],
  );
  await sql(`INSERT INTO servers (id, name, created_by) VALUES ($1, 'A server', $2)`, [server, ada]);
  await sql(`INSERT INTO memberships (server_id, user_id, role) VALUES ($1, $2, 'ADMIN'), ($1, $3, 'MEMBER')`, [
    server,
    ada,
    bob,
  ]);
  await sql(`INSERT INTO conversations (id, kind) VALUES ($1, 'channel'), ($2, 'session')`, [channel, session]);
  await sql(
    `INSERT INTO channels (id, server_id, name, name_key, type, position) VALUES ($1, $2, 'general', 'general', 'TEXT', 0)`,
    [channel, server],
  );
  await sql(
    `INSERT INTO sessions (id, owner_id, type, status, title, agent_id) VALUES ($1, $2, 'agent', 'open', 'Engines', $3)`,
    [session, ada, ECHO],
  );
  const messages = [uuidv7(), uuidv7(), uuidv7(), uuidv7()];
  const contents = ['one', 'two', 'three', 'an answer'];
  for (const [i, id] of messages.entries()) {
    const draft = { conversationId: channel, id, authorId: i % 2 ? bob : ada, role: 'user', content: contents[i] };
    const unnamed = { mentionNames: null, mentionServerId: null, mentionUserIds: [], mentionsEveryone: false };
    await sql(`SELECT * FROM append_messages($1)`, [
      JSON.stringify([{ ...draft, ...unnamed, nonce: `n${i}`, replyToId: i === 3 ? messages[0] : null }]),
    ]);
  }
  await sql(`UPDATE messages SET content = NULL, sent_hash = NULL, deleted_at = now(), rev = 5 WHERE id = $1`, [
    messages[1],
  ]);
  await sql(
    `INSERT INTO message_revisions (conversation_id, message_id, rev, content, created_at) VALUES ($1, $2, 3, 'three', now())`,
    [channel, messages[2]],
  );
  await sql(`UPDATE messages SET content = 'three, edited', edited_at = now(), rev = 6 WHERE id = $1`, [messages[2]]);
  await sql(`UPDATE conversations SET last_rev = 6 WHERE id = $1`, [channel]);
  await sql(`INSERT INTO read_markers (conversation_id, user_id, seq) VALUES ($1, $2, 3)`, [channel, bob]);
  return { room: { id: channel! } };
}
