import pg from 'pg';
import { importSource } from '../../src/legacy/import/importer.js';
import { openChatSessions } from '../../src/legacy/import/readers/chat-sessions.js';
import { LegacyHouse } from '../support/legacy-commands.js';
import { chatSessions, communityServers, day, mongoFolder, oid, sqlite } from '../support/old-stores.js';
import type { CommandResult } from '../support/run-app.js';
import { createEmptyDatabase } from '../support/test-database.js';
import { until } from '../support/until.js';

describe('an import that is made, handed over or taken out while somebody does something else', () => {
  let house: LegacyHouse;
  let other: pg.Client;

  beforeAll(async () => {
    house = await LegacyHouse.open();
    other = new pg.Client({ connectionString: house.database.url });
    await other.connect();
  }, 60_000);

  afterAll(async () => {
    await other.end();
    await house.close();
  }, 60_000);

  afterEach(() => house.empty(), 60_000);

  const revertAfter = (id: string, work: () => Promise<unknown>) => after(work, () => house.legacy('revert', id));

  /** What the command says that began before `work` was committed, and waited for it. */
  async function after(work: () => Promise<unknown>, command: () => Promise<CommandResult>): Promise<CommandResult> {
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await other.query('BEGIN');
    await work();
    const said = command();
    await until(async () => (await house.rows(waiting)).length > 0);
    await other.query('COMMIT');
    return said;
  }

  it('stays where another import builds on it', async () => {
    const file = chatSessions(house.path('two.db'), 4);
    const id = await house.carried('chat-sessions', file);
    sqlite(file, `INSERT INTO chat_session VALUES (3, 'Third', '2024-02-01', '2024-02-01', 1)`);
    const source = await openChatSessions(file);
    const listeners = { onFound: () => undefined, onReject: () => Promise.resolve(), onProgress: () => undefined };
    const reverted = await revertAfter(id, () => importSource(other, source, listeners));
    await source.close();
    expect(reverted).toMatchObject({ code: 1, stderr: expect.stringContaining('builds on this one') });
    expect(await house.rows(`SELECT title FROM sessions ORDER BY title`)).toEqual(
      ['First', 'Second', 'Third'].map((title) => ({ title })),
    );
  }, 180_000);

  it('leaves the account whose person signs in meanwhile, and the one that gets rights', async () => {
    const id = await house.carried('chat-sessions', chatSessions(house.path('claimed.db'), 4));
    const reverted = await revertAfter(id, async () => {
      await other.query(
        `INSERT INTO logins (id, user_id, refresh_hash, family_hash, expires_at)
         SELECT gen_random_uuid(), id, 'a', 'b', now() FROM users WHERE username = 'ada'`,
      );
      await other.query(`UPDATE users SET is_admin = true WHERE username = 'bob'`);
    });
    expect(reverted.stdout).toContain('kept the account ada: it is in use\nkept the account bob: it is in use');
    expect(await house.rows(`SELECT 1 FROM logins`)).toHaveLength(1);
  }, 180_000);

  it('stays where a server gets a channel meanwhile', async () => {
    const store = await createEmptyDatabase();
    await communityServers(store.url);
    const id = await house.carried('servers', store.url);
    await store.drop();
    const reverted = await revertAfter(id, async () => {
      await other.query(`SELECT 1 FROM servers FOR NO KEY UPDATE`);
      await other.query(
        `WITH room AS (INSERT INTO conversations (id, kind) VALUES (gen_random_uuid(), 'channel') RETURNING id)
         INSERT INTO channels (id, server_id, name, name_key, type, position)
         SELECT room.id, s.id, 'hers', 'hers', 'TEXT', 9 FROM room, servers s`,
      );
    });
    expect(reverted).toMatchObject({ code: 1, stderr: expect.stringContaining('channel hers came after the import') });
    expect(await house.rows(`SELECT 1 FROM channels WHERE name = 'hers'`)).toHaveLength(1);
  }, 180_000);

  const characters = (name: string) =>
    mongoFolder(
      house.path(name),
      [{ _id: oid(1), characterId: 'merlin', createdAt: day(1), updatedAt: day(3) }],
      [{ _id: oid(11), sessionId: oid(1), role: 'user', content: 'Hi', createdAt: day(2) }],
    );
  const EVE = '01990000-0000-7000-8000-00000000aaaa';
  const makeEve = () =>
    house.client.query(
      `INSERT INTO users (id, username, username_key, display_name) VALUES ('${EVE}', 'eve', 'eve', 'Eve')`,
    );

  it('says what to do where somebody has made the same agent, and carries everything then', async () => {
    const folder = await characters('same-agent');
    const refused = await after(
      () => other.query(`INSERT INTO agents (id, slug, name, kind) VALUES (gen_random_uuid(), 'merlin', 'M', 'echo')`),
      () => house.carry('characters', folder),
    );
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('run it again') });
    await house.carried('characters', folder);
  }, 180_000);

  it('is handed to nobody who is gone by then', async () => {
    await makeEve();
    const id = await house.carried('characters', await characters('gone'));
    const refused = await after(
      () => other.query(`DELETE FROM users WHERE username = 'eve'`),
      () => house.legacy('assign', id, '--to', 'eve'),
    );
    expect(refused).toMatchObject({ code: 1, stderr: 'There is no account named eve.\n' });
  }, 180_000);

  it('is handed over beside the standing session that its taker opens in that moment', async () => {
    await makeEve();
    const id = await house.carried('characters', await characters('standing'));
    const assigned = await after(
      () =>
        other.query(
          `WITH room AS (INSERT INTO conversations (id, kind) VALUES (gen_random_uuid(), 'session') RETURNING id)
           INSERT INTO sessions (id, owner_id, type, agent_id, standing)
           SELECT room.id, '${EVE}', 'agent', a.id, true FROM room, agents a WHERE slug = 'merlin'`,
        ),
      () => house.legacy('assign', id, '--to', 'eve'),
    );
    expect([assigned.stderr, assigned.stdout]).toEqual(['', 'handed 1 sessions and 1 messages to eve\n']);
    expect(await house.rows(`SELECT standing FROM sessions WHERE owner_id = '${EVE}' ORDER BY 1`)).toEqual([
      { standing: false },
      { standing: true },
    ]);
  }, 180_000);
});
