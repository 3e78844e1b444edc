import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { sql, upload, writeWhile } from '../support/backed-up.js';
import { person, type Person, serverOf, signedInAgain } from '../support/people.js';
import { type CommandResult, type RunningApp, runApp, runCommand } from '../support/run-app.js';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/test-database.js';

describe('backup and restore', () => {
  let folder: string;
  let source: TestDatabase;
  let app: RunningApp;
  let ada: Person;
  let general: string;
  let attached: string;
  let acknowledged: string[] = [];

  const inFolder = (name: string) => path.join(folder, name);
  const command = (what: string, to: string, url: string, dataDir = 'data'): Promise<CommandResult> =>
    runCommand(['dist/src/operations/cli/backup.js', what, inFolder(to)], {
      DATABASE_URL: url,
      DATA_DIR: inFolder(dataDir),
    });
  const manifestOf = async (name: string) => JSON.parse(await readFile(inFolder(`${name}/manifest.json`), 'utf8'));

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'parley-backup-'));
    await mkdir(inFolder('data/uploads/ab'), { recursive: true });
    await writeFile(inFolder('data/uploads/ab/picture.png'), 'not really a picture');
    source = await createTestDatabase();
    app = await runApp({ DATABASE_URL: source.url, RATE_LIMIT: 'off', DATA_DIR: inFolder('data') });
    ada = await person(app.url, 'ada');
    ({ general } = await serverOf(ada, await person(app.url, 'bob')));
    const odd = 'tabs\tand\nlines, \\N, ünïcode 👋 and "quotes"';
    const { id } = await ada.say(general, odd, 'a-nonce');
    await ada.patch(`/conversations/${general}/messages/${id}`, { content: 'edited' });
    attached = await upload(ada, 'the very bytes');
    await ada.post(`/conversations/${general}/messages`, { content: 'see attached', attachmentIds: [attached] });
    const gone = await ada.say(general, 'deleted soon');
    await ada.delete(`/conversations/${general}/messages/${gone.id}`);
    acknowledged = await writeWhile(ada, general, async () => {
      const { code, stderr } = await command('backup', 'backup', source.url);
      expect([code, stderr]).toEqual([0, '']);
    });
  }, 120_000);

  afterAll(async () => {
    await app.stop();
    await source.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('keeps one moment of everything, and no key and no token', async () => {
    const { tables, files } = await manifestOf('backup');
    const names = tables.map(({ table }: any) => table);
    expect(names).toEqual(expect.arrayContaining(['users', 'messages', 'message_revisions', 'memberships']));
    expect(names).not.toEqual(expect.arrayContaining(['logins']));
    expect(files.map(({ file }: any) => file).sort()).toEqual([
      expect.stringMatching(/^files\/files\/.+/),
      'files/uploads/ab/picture.png',
    ]);
    expect(await readdir(inFolder('data'))).toContain('encryption.key');
  });

  it('brings it all back into an empty database: what was acknowledged before, whole, and nobody signed in', async () => {
    const target = await createEmptyDatabase();
    const { code, stderr } = await command('restore', 'backup', target.url, 'restored');
    expect([code, stderr]).toEqual([0, '']);
    expect(await readFile(inFolder('restored/uploads/ab/picture.png'), 'utf8')).toBe('not really a picture');

    await command('backup', 'second', target.url, 'restored');
    const [first, second] = [await manifestOf('backup'), await manifestOf('second')];
    const contents = ({ tables }: any) =>
      tables.filter(({ table }: any) => table !== 'conversations').map(({ table, sha256 }: any) => [table, sha256]);
    expect(contents(second)).toEqual(contents(first));

    const restored = await runApp({ DATABASE_URL: target.url, DATA_DIR: inFolder('restored') });
    const again = await signedInAgain(ada, restored.url);
    const file = await fetch(`${restored.url}/api/v1/attachments/${attached}`, {
      headers: { authorization: `Bearer ${again.token}` },
    });
    expect([file.status, await file.text()]).toEqual([200, 'the very bytes']);
    const old = Object.assign(Object.create(Object.getPrototypeOf(ada)), ada, { url: restored.url });
    expect((await old.call('GET', '/users/me')).status).toBe(401);

    const rows = await sql(target.url, `SELECT id, seq FROM messages WHERE conversation_id = $1 ORDER BY seq`, [
      general,
    ]);
    const [{ last_seq: lastSeq, last_rev: lastRev }] = await sql(
      target.url,
      `SELECT last_seq::int, last_rev::bigint FROM conversations WHERE id = $1`,
      [general],
    );
    expect(rows.map(({ seq }: any) => Number(seq))).toEqual(Array.from({ length: lastSeq }, (_, i) => i + 1));
    const ids = new Set(rows.map(({ id }: any) => id));
    expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);

    const before = await again.get(`/conversations/${general}/changes?after=10`);
    expect(before.body).toMatchObject({ reset: true, items: [] });
    const next = await again.say(general, 'life goes on');
    expect([next.seq, next.rev]).toEqual([lastSeq + 1, Number(lastRev) + 1]);
    const after = await again.get(`/conversations/${general}/changes?after=${lastRev}`);
    expect([after.body.reset, after.body.items.map(({ id }: any) => id)]).toEqual([false, [next.id]]);
    await restored.stop();
    await target.drop();
  }, 120_000);

  it('says so where there is nothing yet to back up', async () => {
    const empty = await createEmptyDatabase();
    const { code, stderr } = await command('backup', 'nothing', empty.url);
    expect([code, stderr]).toEqual([1, 'Nothing to back up: no app has run on this database yet.\n']);
    await empty.drop();
  }, 60_000);

  it('refuses a database that is not empty, one with an app on it, and a folder that is there', async () => {
    const other = await runApp({ DATABASE_URL: source.url });
    const used = await command('restore', 'backup', source.url);
    expect([used.code, used.stderr]).toEqual([1, expect.stringContaining('stop the app first')]);
    await other.stop();
    const there = await command('backup', 'backup', source.url);
    expect([there.code, there.stderr]).toEqual([1, expect.stringContaining('backup is there already')]);
    await readFile(inFolder('backup/manifest.json'));
    const inside = await command('backup', 'data/backup', source.url);
    expect([inside.code, inside.stderr]).toEqual([1, expect.stringContaining('name a place outside')]);

    const full = await createTestDatabase();
    await sql(
      full.url,
      `INSERT INTO users (id, username, username_key, display_name)
      VALUES (gen_random_uuid(), 'eve', 'eve', 'eve')`,
    );
    const { code, stderr } = await command('restore', 'backup', full.url);
    expect([code, stderr]).toEqual([1, expect.stringContaining('not empty')]);
    await full.drop();
  }, 120_000);

  it('refuses a damaged backup and one of a newer release, and leaves the database empty', async () => {
    const target = await createEmptyDatabase();
    const manifest = await readFile(inFolder('backup/manifest.json'), 'utf8');
    const newer = JSON.parse(manifest);
    newer.migrations.push('ComesLater1999999999999');
    await writeFile(inFolder('backup/manifest.json'), JSON.stringify(newer));
    const unknown = await command('restore', 'backup', target.url, 'elsewhere');
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('ComesLater1999999999999')]);
    await writeFile(inFolder('backup/manifest.json'), manifest);

    await appendFile(inFolder('backup/tables/users.copy.gz'), 'x');
    const damaged = await command('restore', 'backup', target.url, 'elsewhere');
    expect([damaged.code, damaged.stderr]).toEqual([1, expect.stringContaining('tables/users.copy.gz')]);
    expect(await sql(target.url, `SELECT 1 FROM pg_tables WHERE schemaname = 'public'`)).toEqual([]);
    await target.drop();
  }, 120_000);
});
