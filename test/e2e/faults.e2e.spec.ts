import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Frame,
  openSocket,
  type Person,
  person,
  serverOf,
  signedInAgain,
  type Socket,
} from '../support/people.js';
import { freePort, runApp, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const SECRET_KEY = 'k9Jw2LqZ8vXr4TnB7mYcP3sHdF6gA1eU0oRiW5';
const SENDS = 1_000;

interface Said {
  nonce: string | null;
}

/** Two nodes that share nothing but the database. */
describe('faults', () => {
  let database: TestDatabase;
  let here: RunningApp;
  let there: RunningApp;
  let ada: Person;
  let bob: Person;

  beforeAll(async () => {
    database = await createTestDatabase();
    const env = { DATABASE_URL: database.url, SECRET_KEY, RATE_LIMIT: 'off' };
    [here, there] = await Promise.all([runApp(env), runApp(env)]);
    ada = await person(here.url, 'ada');
    bob = await person(here.url, 'bob');
  }, 60_000);
  afterAll(async () => {
    await Promise.all([here.stop(), there.stop()]);
    await database.drop();
  }, 60_000);

  it('a thousand lost acks: sent again on another node, each is one message', async () => {
    const { general } = await serverOf(ada);
    const send = (socket: Socket, i: number) =>
      socket.send({ type: 'message.send', ref: `${i}`, conversationId: general, content: `${i}`, nonce: `n${i}` });
    const lost = await ada.socket();
    for (let i = 0; i < SENDS; i += 1) send(lost, i);
    // Some are stored by now, some are not, and nobody has read an answer.
    await lost.next('message.created');
    lost.ws.terminate();
    const again = await (await signedInAgain(ada, there.url)).socket();
    for (let i = 0; i < SENDS; i += 1) send(again, i);
    await Promise.all(Array.from({ length: SENDS }, (_, i) => again.next(({ ref }) => ref === `${i}`)));
    const acks = again.of('ack').map(({ message }) => message as { seq: number; nonce: string });
    expect(acks.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(Array.from({ length: SENDS }, (_, i) => i + 1));
    expect(new Set(acks.map(({ nonce }) => nonce)).size).toBe(SENDS);
    expect((await ada.get(`/conversations/${general}`)).body).toMatchObject({ lastSeq: SENDS, rev: SENDS });
    again.close();
  }, 60_000);

  it('a resume on another node brings exactly what is missing', async () => {
    const { general } = await serverOf(ada, bob);
    const first = await ada.say(general, 'one');
    const { rev } = await ada.say(general, 'two');
    await ada.patch(`/conversations/${general}/messages/${first.id}`, { content: 'one, edited' });
    await ada.say(general, 'three');
    const socket = await (await signedInAgain(bob, there.url)).socket();
    const changes = await socket.ask({ type: 'sync', conversationId: general, afterRev: rev });
    expect(changes.items.map(({ content }: { content: string }) => content)).toEqual(['one, edited', 'three']);
    expect(changes).toMatchObject({ rev: rev + 2, more: false, reset: false });
    const ahead = await socket.ask({ type: 'sync', conversationId: general, afterRev: rev + 1_000 });
    expect(ahead).toMatchObject({ items: [], rev: rev + 2, reset: true });
    socket.close();
  });

  it("a resume of somebody else's conversation, or after being removed, is refused as if there were none", async () => {
    const eve = await person(here.url, 'eve');
    const { id, general } = await serverOf(ada, bob, eve);
    const secret = await serverOf(bob);
    const { rev } = await ada.say(general, 'to all');
    const elsewhere = await signedInAgain(eve, there.url);
    const socket = await elsewhere.socket();
    expect(await socket.ask({ type: 'sync', conversationId: general, afterRev: 0 })).toMatchObject({ rev });
    await ada.delete(`/servers/${id}/members/${eve.id}`);
    await socket.next('member.removed');
    await ada.say(general, 'without eve');
    for (const conversationId of [general, secret.general]) {
      const refused = await socket.ask({ type: 'sync', conversationId, afterRev: 0 });
      expect(refused).toMatchObject({ type: 'error', code: 'not_found' });
      const { status, body } = await elsewhere.get(`/conversations/${conversationId}/changes?after=0`);
      expect([status, body.code]).toEqual([404, 'not_found']);
    }
    const back = await elsewhere.socket();
    expect(back.of('ready')[0]?.conversations).toEqual([]);
    expect(JSON.stringify([...socket.heard, ...back.heard])).not.toContain('without eve');
    socket.close();
    back.close();
  });

  const hasPrlimit = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0;
  (hasPrlimit ? it : it.skip)(
    'no file descriptors left: new sockets wait or are refused, those that are open go on, and it ends with the need',
    async () => {
      const node = await runApp({ DATABASE_URL: database.url, SECRET_KEY, RATE_LIMIT: 'off' });
      const carol = await person(node.url, 'carol');
      const { general } = await serverOf(carol);
      const old = await carol.socket();
      const open = readdirSync(`/proc/${node.pid}/fd`).length;
      execFileSync('prlimit', ['--pid', String(node.pid), `--nofile=${open + 20}:${open + 20}`]);
      const opening = Array.from({ length: 60 }, () =>
        openSocket(node.url, '/api/v1/realtime', ['parley.v1', `bearer.${carol.token}`], { handshakeTimeout: 2_000 }),
      );
      const opened = (await Promise.allSettled(opening)).filter((result) => result.status === 'fulfilled');
      expect(opened.length).toBeGreaterThan(0);
      expect(opened.length).toBeLessThan(60);
      expect(await old.ask({ type: 'message.send', conversationId: general, content: 'still here' })).toMatchObject({
        type: 'ack',
      });
      for (const { value } of opened) value.ws.terminate();
      const deadline = Date.now() + 5_000;
      let late: Socket | undefined;
      while (!late && Date.now() < deadline) late = await carol.socket().catch(() => sleep(100, undefined));
      expect(await late?.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });
      old.close();
      late?.close();
      await node.stop();
    },
    60_000,
  );

  const canMount = process.platform === 'linux' && process.getuid?.() === 0 && canMountTmpfs();
  (canMount ? it : it.skip)(
    'no room for uploads: they are refused, all else goes on, and it ends with the need',
    async () => {
      const dataDir = mkdtempSync(path.join(os.tmpdir(), 'parley-full-'));
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=140m', 'tmpfs', dataDir]);
      const node = await runApp({ DATABASE_URL: database.url, SECRET_KEY, RATE_LIMIT: 'off', DATA_DIR: dataDir });
      try {
        const carol = await person(node.url, 'carol');
        const { general } = await serverOf(carol);
        const upload = async () => {
          const form = new FormData();
          form.append('file', new Blob(['x'.repeat(1_000)]), 'x.txt');
          const headers = { authorization: `Bearer ${carol.token}` };
          return fetch(`${node.url}/api/v1/attachments`, { method: 'POST', body: form, headers });
        };
        expect((await upload()).status).toBe(201);
        writeFileSync(path.join(dataDir, 'filler'), Buffer.alloc(30 * 1024 * 1024));
        const refused = await upload();
        expect([refused.status, await refused.json()]).toMatchObject([507, { code: 'storage_full' }]);
        expect(await carol.say(general, 'talking goes on')).toMatchObject({ seq: 1 });
        rmSync(path.join(dataDir, 'filler'));
        expect((await upload()).status).toBe(201);
      } finally {
        await node.stop();
        execFileSync('umount', [dataDir]);
        rmSync(dataDir, { recursive: true });
      }
    },
    60_000,
  );

  (existsSync('/dev/full') ? it : it.skip)(
    'no room for the logs: all goes on without them',
    async () => {
      const full = openSync('/dev/full', 'w');
      const port = String(await freePort());
      const dataDir = mkdtempSync(path.join(os.tmpdir(), 'parley-mute-'));
      const env = { ...process.env, DATABASE_URL: database.url, SECRET_KEY, RATE_LIMIT: 'off', PORT: port };
      const node = spawn(process.execPath, ['dist/src/main.js'], {
        env: { ...env, DATA_DIR: dataDir, LOG_LEVEL: 'info' },
        stdio: ['ignore', full, full],
      });
      try {
        const url = `http://127.0.0.1:${port}`;
        while (!(await fetch(`${url}/health/live`).catch(() => undefined))?.ok) await sleep(100);
        const carol = await person(url, 'carol');
        const { general } = await serverOf(carol);
        for (let n = 1; n <= 50; n += 1) expect(await carol.say(general, `${n}`)).toMatchObject({ seq: n });
        const ended = once(node, 'exit');
        node.kill('SIGTERM');
        expect(await ended).toEqual([0, null]);
      } finally {
        node.kill('SIGKILL');
        closeSync(full);
        rmSync(dataDir, { recursive: true });
      }
    },
    60_000,
  );

  (canMount ? it : it.skip)(
    'no room for the database: sends are refused, nothing acknowledged is lost, and it ends with the need',
    async () => {
      const dataDir = mkdtempSync(path.join(os.tmpdir(), 'parley-full-'));
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=260m,mode=755', 'tmpfs', dataDir]);
      const node = await runApp({ SECRET_KEY, RATE_LIMIT: 'off', DATA_DIR: dataDir });
      try {
        const carol = await person(node.url, 'carol');
        const { general } = await serverOf(carol);
        const socket = await carol.socket();
        const say = (nonce: string) => {
          const content = randomBytes(9_000).toString('base64');
          return socket.ask({ type: 'message.send', conversationId: general, nonce, content });
        };
        await say('0');
        const { bavail, bsize } = statfsSync(dataDir);
        writeFileSync(path.join(dataDir, 'filler'), Buffer.alloc(bavail * bsize - 1024 * 1024));
        const acked = ['0'];
        let answer: Frame;
        for (let n = 1; (answer = await say(String(n))).type === 'ack'; n += 1) acked.push(String(n));
        expect(['storage_full', 'unavailable']).toContain(answer.code);
        rmSync(path.join(dataDir, 'filler'));
        const deadline = Date.now() + 10_000;
        while ((await say('after')).type !== 'ack') {
          if (Date.now() > deadline) throw new Error('not healed within 10 s');
          await sleep(100);
        }
        const nonces: (string | null)[] = [];
        for (let page: Said[] = []; nonces.length === 0 || page.length > 0;) {
          page = (await carol.get(`/conversations/${general}/messages?limit=100&after=${nonces.length}`)).body.items;
          nonces.push(...page.map(({ nonce }) => nonce));
        }
        expect(nonces).toEqual([...new Set(nonces)]);
        expect(nonces).toEqual(expect.arrayContaining([...acked, 'after']));
        socket.close();
      } finally {
        await node.stop();
        execFileSync('umount', ['-l', dataDir]);
        rmSync(dataDir, { recursive: true });
      }
    },
    90_000,
  );
});

function canMountTmpfs(): boolean {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'parley-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).status === 0;
  if (mounted) execFileSync('umount', [folder]);
  rmSync(folder, { recursive: true });
  return mounted;
}
