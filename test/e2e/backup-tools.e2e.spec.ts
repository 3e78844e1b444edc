import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { sql, upload, writeWhile } from '../support/backed-up.js';
import { person, type Person, serverOf, signedInAgain } from '../support/people.js';
import {
  type InstalledPostgres,
  installedPostgres,
  type OwnServer,
  startOwnServer,
} from '../support/postgres-tools.js';
import { type CommandResult, type RunningApp, runApp, runCommand } from '../support/run-app.js';
import { schemaOf } from '../support/schema-of.js';
import { createTestDatabase } from '../support/test-database.js';

const installed = installedPostgres();
if (!installed) console.warn('No PostgreSQL with pg_dump is installed here: backups with it are not tested.');

let folder: string;
const inFolder = (name: string) => path.join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'parley-backup-tools-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const command = (what: string, to: string, env: Record<string, string>): Promise<CommandResult> =>
  runCommand(['dist/src/operations/cli/backup.js', what, inFolder(to)], { DATA_DIR: inFolder('data'), ...env });
const manifestOf = async (name: string) => JSON.parse(await readFile(inFolder(`${name}/manifest.json`), 'utf8'));

/** A program of this name that says it is of this version, and otherwise fails. */
async function pretender(tools: string, version: string): Promise<string> {
  await mkdir(inFolder(tools));
  for (const program of ['pg_dump', 'pg_restore']) {
    await writeFile(
      inFolder(`${tools}/${program}`),
      `#!/bin/sh\n[ "$1" = --version ] && echo "${program} ${version}"\n`,
    );
    await chmod(inFolder(`${tools}/${program}`), 0o755);
  }
  return inFolder(tools);
}

describe('a backup where no pg_dump fits', () => {
  it('is in the format of the house, and says why', async () => {
    const database = await createTestDatabase();
    const cases = [
      ['old', { PG_TOOLS: await pretender('tools-old', '9.6.24') }, 'pg_dump is of version 9.6.24, and PostgreSQL of '],
      ['new', { PG_TOOLS: await pretender('tools-new', '99.1') }, 'pg_dump is of version 99.1, and PostgreSQL of '],
      ['off', { PG_TOOLS: 'off' }, 'PG_TOOLS is off'],
      ['none', { PG_TOOLS: inFolder('nowhere') }, 'no pg_dump and pg_restore were found on PATH or in PG_TOOLS'],
    ] as const;
    for (const [name, env, why] of cases) {
      const { code, stdout, stderr } = await command('backup', name, { DATABASE_URL: database.url, ...env });
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toContain(why);
      const { dump, tables } = await manifestOf(name);
      expect([dump, tables.length > 20]).toEqual([undefined, true]);
    }
    await database.drop();
  }, 60_000);
});

(installed ? describe : describe.skip)('a backup by pg_dump', () => {
  const tools = installed as InstalledPostgres;
  let server: OwnServer;
  let source: string;
  let app: RunningApp;
  let ada: Person;
  let general: string;
  let attached: string;
  let acknowledged: string[] = [];

  /** The installed programs, with a note of all that others on the machine could see. */
  async function watchedTools(): Promise<string> {
    await mkdir(inFolder('tools'));
    for (const program of ['pg_dump', 'pg_restore']) {
      const script = `#!/bin/sh\necho "$0 $*" >> ${inFolder('seen')}\nexec ${tools.folder}/${program} "$@"\n`;
      await writeFile(inFolder(`tools/${program}`), script);
      await chmod(inFolder(`tools/${program}`), 0o755);
    }
    return inFolder('tools');
  }
  let PG_TOOLS: string;

  beforeAll(async () => {
    PG_TOOLS = await watchedTools();
    server = await startOwnServer(tools);
    source = await server.createDatabase('source');
    app = await runApp({ DATABASE_URL: source, RATE_LIMIT: 'off', DATA_DIR: inFolder('data') });
    ada = await person(app.url, 'ada');
    ({ general } = await serverOf(ada, await person(app.url, 'bob')));
    const { id } = await ada.say(general, 'tabs\tand\nlines, \\N, ünïcode 👋 and "quotes"');
    await ada.patch(`/conversations/${general}/messages/${id}`, { content: 'edited' });
    attached = await upload(ada, 'the very bytes');
    await ada.post(`/conversations/${general}/messages`, { content: 'see attached', attachmentIds: [attached] });
    acknowledged = await writeWhile(ada, general, async () => {
      const { code, stdout, stderr } = await command('backup', 'backup', { DATABASE_URL: source, PG_TOOLS });
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toContain(`all tables, by pg_dump ${tools.major}`);
    });
  }, 120_000);

  afterAll(async () => {
    await app?.stop();
    await server?.stop();
  }, 60_000);

  it('is one that pg_restore reads, for its owner alone, with no token in it and no password on a command line', async () => {
    const { dump, tables, files, migrations } = await manifestOf('backup');
    expect(dump).toMatchObject({ file: 'database.dump', by: expect.stringContaining(`pg_dump ${tools.major}`) });
    expect([tables, files.length, migrations.length > 20]).toEqual([[], 1, true]);
    const { mode } = await stat(inFolder('backup/database.dump'));
    expect(mode & 0o077).toBe(0);
    const list = execFileSync(`${tools.folder}/pg_restore`, ['--list', inFolder('backup/database.dump')]).toString();
    expect(list).toMatch(/TABLE DATA public messages /);
    expect(list).not.toMatch(/TABLE DATA public (logins|tickets|password_resets) /);
    const seen = await readFile(inFolder('seen'), 'utf8');
    expect(seen).toContain('--format=custom');
    expect(seen).not.toMatch(/sesame/);
  });

  it('brings back what was acknowledged before, whole, and nobody is signed in', async () => {
    const url = await server.createDatabase('restored');
    const env = { DATABASE_URL: url, DATA_DIR: inFolder('restored'), PG_TOOLS };
    const { code, stderr } = await command('restore', 'backup', env);
    expect([code, stderr]).toEqual([0, '']);
    expect((await readFile(inFolder('seen'), 'utf8')).match(/sesame/)).toBeNull();

    const rows = await sql(url, `SELECT id, seq FROM messages WHERE conversation_id = $1 ORDER BY seq`, [general]);
    const ids = new Set(rows.map(({ id }: any) => id));
    expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
    expect(rows.map(({ seq }: any) => Number(seq))).toEqual(rows.map((_, i) => i + 1));

    const restored = await runApp({ DATABASE_URL: url, DATA_DIR: inFolder('restored') });
    const again = await signedInAgain(ada, restored.url);
    const file = await fetch(`${restored.url}/api/v1/attachments/${attached}`, {
      headers: { authorization: `Bearer ${again.token}` },
    });
    expect([file.status, await file.text()]).toEqual([200, 'the very bytes']);
    const old = Object.assign(Object.create(Object.getPrototypeOf(ada)), ada, { url: restored.url });
    expect((await old.call('GET', '/users/me')).status).toBe(401);
    const before = await again.get(`/conversations/${general}/changes?after=10`);
    expect(before.body).toMatchObject({ reset: true, items: [] });
    expect((await again.say(general, 'life goes on')).seq).toBe(rows.length + 1);
    await restored.stop();
  }, 120_000);

  it('loses no row of any table on the way, nor anything of the schema', async () => {
    const contents = async (name: string) =>
      (await manifestOf(name)).tables
        .filter(({ table }: any) => table !== 'conversations')
        .map(({ table, sha256, rows }: any) => [table, rows, sha256]);
    const [first, second] = [await server.createDatabase('first'), await server.createDatabase('second')];
    const on = (DATABASE_URL: string, PG_TOOLS: string) => ({ DATABASE_URL, DATA_DIR: inFolder('copies'), PG_TOOLS });
    await command('restore', 'backup', on(first, PG_TOOLS));
    await command('backup', 'again', on(first, PG_TOOLS));
    await command('restore', 'again', on(second, PG_TOOLS));
    await command('backup', 'first', on(first, 'off'));
    await command('backup', 'second', on(second, 'off'));
    expect((await contents('first')).length).toBeGreaterThan(20);
    expect(await contents('second')).toEqual(await contents('first'));
    expect(await schemaOf((text) => sql(second, text))).toEqual(await schemaOf((text) => sql(source, text)));
  }, 120_000);

  it('is refused where the database has tables, where pg_restore is missing or older, and where it is damaged', async () => {
    const refusal = async (env: Record<string, string>) => {
      const { code, stderr } = await command('restore', 'backup', { DATA_DIR: inFolder('refused'), ...env });
      return [code, stderr];
    };
    const [full, empty] = [await server.createDatabase('filled'), await server.createDatabase('empty')];
    await sql(full, 'CREATE TABLE something (it int)');
    expect(await refusal({ DATABASE_URL: full, PG_TOOLS })).toEqual([1, expect.stringContaining('not empty')]);
    const needed = expect.stringContaining('takes a pg_restore of that version or a newer one');
    expect(await refusal({ DATABASE_URL: empty, PG_TOOLS: 'off' })).toEqual([1, needed]);
    expect(await refusal({ DATABASE_URL: empty, PG_TOOLS: await pretender('tools-older', '9.6') })).toEqual([
      1,
      needed,
    ]);
    await writeFile(inFolder('backup/database.dump'), 'x', { flag: 'a' });
    const damaged = expect.stringContaining('damaged: database.dump');
    expect(await refusal({ DATABASE_URL: empty, PG_TOOLS })).toEqual([1, damaged]);
    expect(await sql(empty, `SELECT 1 FROM pg_tables WHERE schemaname = 'public'`)).toEqual([]);
  }, 60_000);
});
