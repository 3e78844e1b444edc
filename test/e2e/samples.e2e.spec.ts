import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { administrator, type Person, person } from '../support/people.js';
import { runApp, runCommand, type RunningApp } from '../support/run-app.js';

const SEED = 'dist/src/operations/cli/seed.js';

/** On the embedded PostgreSQL, beside the app that runs on it. */
describe('the sample servers', () => {
  let dataDir: string;
  let app: RunningApp;
  let ada: Person;

  beforeAll(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'parley samples '));
    app = await runApp({ DATA_DIR: dataDir, RATE_LIMIT: 'off' });
    ada = await person(app.url, 'ada');
  }, 60_000);

  afterAll(async () => {
    await app.stop();
    await rm(dataDir, { recursive: true, force: true });
  }, 60_000);

  const seed = () => runCommand([SEED], { DATA_DIR: dataDir });
  const serversOf = async (who: Person): Promise<any[]> => (await who.get('/servers')).body.items;

  it('are three, with text and voice channels and everybody in them', async () => {
    const root = await administrator(app.url, { DATA_DIR: dataDir });
    const { code, stdout, stderr } = await seed();
    expect([code, stderr, stdout]).toEqual([0, '', 'added 3 servers, 13 channels and 6 memberships\n']);
    const servers = await serversOf(ada);
    expect(servers).toHaveLength(3);
    expect(servers.map(({ role }) => role)).toEqual(['MEMBER', 'MEMBER', 'MEMBER']);
    expect((await serversOf(root)).map(({ role }) => role)).toEqual(['ADMIN', 'ADMIN', 'ADMIN']);
    for (const { id } of servers) {
      const { channels } = (await ada.get(`/servers/${id}`)).body;
      const types = new Set(channels.map(({ type }: { type: string }) => type));
      expect(types).toEqual(new Set(['TEXT', 'VOICE']));
      const general = channels.find(({ name }: { name: string }) => name === 'general');
      expect((await ada.say(general.id, 'Hello')).author.id).toBe(ada.id);
    }
  }, 60_000);

  it('are there once, however often and at once they are seeded, and take in who is new or left', async () => {
    const bob = await person(app.url, 'bob');
    const [first] = await serversOf(ada);
    await ada.delete(`/servers/${first.id}/members/${ada.id}`);
    const runs = await Promise.all([seed(), seed()]);
    expect(runs.map(({ code }) => code)).toEqual([0, 0]);
    expect(runs.map(({ stdout }) => stdout).sort()).toEqual([
      'added 0 servers, 0 channels and 0 memberships\n',
      'added 0 servers, 0 channels and 4 memberships\n',
    ]);
    expect(await serversOf(bob)).toHaveLength(3);
    expect(await serversOf(ada)).toHaveLength(3);
  }, 60_000);

  it('cannot be signed in to', async () => {
    const found = (await ada.get('/users?q=sample-servers')).body.items;
    expect(found).toEqual([expect.objectContaining({ kind: 'bot' })]);
  });
});
