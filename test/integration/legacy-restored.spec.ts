import path from 'node:path';
import pg from 'pg';
import { LEGACY, LegacyHouse, MIGRATIONS } from '../support/legacy-commands.js';
import { chatSessions, sqlite } from '../support/old-stores.js';
import { runCommand } from '../support/run-app.js';
import { createEmptyDatabase, type TestDatabase } from '../support/test-database.js';

const BACKUP = 'dist/src/operations/cli/backup.js';

describe('old data in a house that was backed up and restored', () => {
  let house: LegacyHouse;
  let restored: TestDatabase;
  let client: pg.Client;

  beforeEach(async () => {
    house = await LegacyHouse.open();
    restored = await createEmptyDatabase();
    client = new pg.Client({ connectionString: restored.url });
  }, 60_000);

  afterEach(async () => {
    await client.end();
    await restored.drop();
    await house.close();
  }, 60_000);

  async function moveHouse(): Promise<void> {
    const folder = path.join(house.home, 'backup');
    const env = { DATA_DIR: path.join(house.home, 'data'), PG_TOOLS: 'off' };
    const kept = await runCommand([BACKUP, 'backup', folder], { ...env, DATABASE_URL: house.database.url });
    const back = await runCommand([BACKUP, 'restore', folder], { ...env, DATABASE_URL: restored.url });
    expect([kept.stderr, back.stderr, back.code]).toEqual(['', '', 0]);
    await client.connect();
  }

  const there = (...args: string[]) => runCommand(args, { DATABASE_URL: restored.url });
  const titles = async () => (await client.query(`SELECT title FROM sessions ORDER BY title`)).rows.map((r) => r.title);

  it('that came as a migration is there, recorded, and taken out by a revert', async () => {
    const env = { LEGACY_SQLITE: chatSessions(house.path('migration.db'), 4) };
    expect((await house.migrations('run', env)).stdout).toContain('applied CarryLegacySqlite');
    await moveHouse();
    expect(await titles()).toEqual(['First', 'Second']);
    expect((await runCommand([MIGRATIONS, 'run'], { ...env, DATABASE_URL: restored.url })).stdout).toContain('Nothing');
    expect((await there(MIGRATIONS, 'revert')).stdout).toContain('reverted CarryLegacySqlite');
    expect(await titles()).toEqual([]);
  }, 180_000);

  it('is taken out, import by import, where nobody has touched it', async () => {
    const file = chatSessions(house.path('two.db'), 4);
    const first = await house.carried('chat-sessions', file);
    sqlite(file, `INSERT INTO chat_message VALUES (90, 'more', 1, '2024-03-01', 1)`);
    const second = await house.carried('chat-sessions', file);
    await moveHouse();
    const counters = `SELECT min(last_rev) - 1000000000 AS few, bool_and(floor_rev <= last_rev) AS reachable FROM conversations`;
    expect((await there(LEGACY, 'revert', second)).stdout).toContain(`reverted ${second}`);
    expect((await client.query(counters)).rows).toEqual([{ few: '2', reachable: true }]);
    expect((await there(LEGACY, 'revert', first)).stdout).toContain(`reverted ${first}`);
    expect(await titles()).toEqual([]);
  }, 180_000);
});
