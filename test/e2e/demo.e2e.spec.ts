import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { call, Person } from '../support/people.js';

const DEMO = path.resolve('dist/demo/demo.js');

describe('npm run demo', () => {
  let home: string;
  let port: number;
  let demo: ChildProcess | undefined;
  const url = () => `http://127.0.0.1:${port}`;

  beforeAll(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'parley demo '));
    await chmod(home, 0o755);
    await writeFile(path.join(home, '.env'), 'DATABASE_URL=postgres://127.0.0.1:1/of-somebody-else\n');
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    port = (probe.address() as AddressInfo).port;
    probe.close();
  });

  afterAll(async () => {
    if (demo?.exitCode === null) demo.kill('SIGKILL');
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  });

  function begin(env: Record<string, string> = {}) {
    const { PATH = '', HOME = '' } = process.env;
    const elsewhere = { DATABASE_URL: 'postgres://127.0.0.1:1/of-somebody-else', SECRET_KEY: 'short' };
    const child = spawn(process.execPath, [DEMO], {
      cwd: home,
      env: { PATH, HOME, PORT: String(port), ...elsewhere, ...env },
    });
    let said = '';
    const talks = new Promise<void>((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (data: Buffer) => {
          said += data.toString();
          if (said.includes('people are talking')) resolve();
        });
      }
    });
    const ended = once(child, 'exit').then(([code]) => ({ code: code as number, said }));
    const running = Promise.race([talks, ended.then(() => Promise.reject(new Error(said)))]);
    running.catch(() => undefined);
    return { child, running, ended };
  }

  async function ada(): Promise<Person> {
    const login = { login: 'ada', password: 'correct horse battery' };
    const { body } = await call(url(), 'POST', '/api/v1/auth/login', login);
    return new Person(url(), 'ada', login.password, body.user.id, body.accessToken);
  }

  async function stage(who: Person) {
    const rooms = (await who.get('/conversations')).body.items as { id: string; kind: string; lastSeq: number }[];
    const [server] = (await who.get('/servers')).body.items;
    const members = (await who.get(`/servers/${server.id}/members`)).body.items as unknown[];
    return { rooms, kinds: rooms.map(({ kind }) => kind).sort(), members: members.length, server: server.name };
  }

  it('shows people, what they said and what they go on saying, on a database of its own', async () => {
    const first = begin();
    demo = first.child;
    await first.running;
    const someone = await ada();
    const before = await stage(someone);
    expect(before).toMatchObject({ server: 'The Analytical Society', members: 6 });
    expect(before.kinds).toEqual(['channel', 'channel', 'channel', 'direct', 'session']);
    expect(before.rooms.every(({ lastSeq }) => lastSeq > 0)).toBe(true);
    const socket = await someone.socket();
    const heard = await socket.next('message.created');
    expect(before.rooms.map(({ id }) => id)).toContain(heard.conversationId);
    socket.close();
    first.child.kill('SIGINT');
    const { code, said } = await first.ended;
    expect(code).toBe(0);
    await expect(call(url(), 'GET', '/health/live')).rejects.toThrow();

    const second = begin();
    demo = second.child;
    await second.running;
    const after = await stage(await ada());
    expect([after.kinds, after.members]).toEqual([before.kinds, before.members]);
    const grown = (kind: string, { rooms }: typeof after) => rooms.find((room) => room.kind === kind)?.lastSeq;
    expect(grown('direct', after)).toBe(grown('direct', before));

    const advised = /register .+\n\s+-d '(\{.+\})'/.exec(said)?.[1] ?? '';
    expect((await call(url(), 'POST', '/api/v1/auth/register', advised)).status).toBe(201);

    const third = await begin({ DEMO_DIR: path.join(home, 'another') }).ended;
    expect(third).toMatchObject({ code: 1, said: expect.stringContaining(`port ${port} already`) });
    second.child.kill('SIGTERM');
    expect(await second.ended).toMatchObject({ code: 0 });
  }, 120_000);

  it('touches no folder with anything else in it', async () => {
    const data = path.join(home, 'data');
    await mkdir(path.join(data, 'postgres'), { recursive: true });
    const { code, said } = await begin({ DEMO_DIR: data }).ended;
    expect([code, said]).toEqual([1, `${data} holds something else than a demo. Name another folder as DEMO_DIR.\n`]);
  });
});
