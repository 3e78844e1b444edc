import { Agent, request } from 'node:http';
import path from 'node:path';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { call, openSocket, type Person, person, serverOf } from '../support/people.js';
import { runApp, runCommand, type RunningApp } from '../support/run-app.js';

const ECHO = '01990000-0000-7000-8000-000000000001';
const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

describe('bad input', () => {
  let database: TestDatabase;
  let app: RunningApp;
  let ada: Person;
  let room: string;
  let server: string;
  let message: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    app = await runApp({ DATABASE_URL: database.url, RATE_LIMIT: 'off' });
    ada = await person(app.url, 'ada');
    ({ id: server, general: room } = await serverOf(ada));
    message = (await ada.say(room, 'a message')).id;
  }, 60_000);

  afterAll(async () => {
    await app.stop();
    await database.drop();
  }, 60_000);

  const problem = (status: number, code: string) => ({
    status,
    body: expect.objectContaining({ status, code, requestId: expect.any(String) }),
  });
  const named = (...paths: string[]) => ({
    status: 400,
    body: expect.objectContaining({
      code: 'validation_failed',
      errors: expect.arrayContaining(paths.map((path) => expect.objectContaining({ path }))),
    }),
  });

  it.each([
    ['malformed JSON', '{"content":', problem(400, 'malformed_json')],
    ['nothing', '', named('content')],
    ['null', 'null', named('')],
    ['a list', '[]', named('')],
    ['a text', '"hello"', named('')],
    ['an empty object', '{}', named('content')],
    ['a number for a text', '{"content":1}', named('content')],
    ['null for a text', '{"content":null}', named('content')],
    ['null for what may be left out', '{"content":"x","nonce":null}', named('nonce')],
    ['only blanks', '{"content":"  \\n "}', named('content')],
    ['20,001 characters', JSON.stringify({ content: 'é'.repeat(20_001) }), named('content')],
    ['NUL', '{"content":"a\\u0000b"}', named('content')],
    ['NUL deep inside', '{"content":"x","metadata":{"a":{"b":["\\u0000"]}}}', named('metadata.a.b.0')],
    ['half a character', '{"content":"\\ud800"}', named('content')],
    ['an unknown field', '{"content":"x","isAdmin":true,"seq":1}', named('isAdmin', 'seq')],
    [
      'the name of what every object has',
      '{"content":"x","constructor":1,"toString":"y","__proto__":{"a":1}}',
      problem(400, 'validation_failed'),
    ],
    [
      'such a name inside the metadata',
      '{"content":"x","metadata":{"constructor":1,"toString":"x"}}',
      problem(400, 'validation_failed'),
    ],
    ['10,000 levels of nesting', `{"content":"x","metadata":{"a":${deep(10_000)}}}`, problem(400, 'validation_failed')],
    ['metadata of 17 KB', JSON.stringify({ content: 'x', metadata: { a: 'y'.repeat(17_000) } }), named('metadata')],
    ['a reply to nothing', `{"content":"x","replyToId":"${ECHO}"}`, named('replyToId')],
    ['an id that is none', '{"content":"x","replyToId":"none"}', named('replyToId')],
    ['more than 1 MiB', JSON.stringify({ content: 'x'.repeat(1_100_000) }), problem(413, 'payload_too_large')],
  ])('is named: %s', async (_, body, expected) => {
    const headers = { authorization: `Bearer ${ada.token}` };
    expect(await call(app.url, 'POST', `/api/v1/conversations/${room}/messages`, body, { headers })).toMatchObject(
      expected,
    );
  });

  it('never makes an answer larger than itself', async () => {
    const { status, body } = await ada.post(`/conversations/${room}/messages`, {
      content: 'x',
      metadata: { a: Array(100_000).fill('\u0000') },
    });
    expect(status).toBe(400);
    expect(JSON.stringify(body).length).toBeLessThan(10_000);
  });

  it('stores 20,000 characters of any kind', async () => {
    for (const character of ['a', 'é', '語', '🎈']) {
      expect((await ada.say(room, character.repeat(20_000))).content).toHaveLength(character.length * 20_000);
    }
  });

  it.each([
    ['GET', '/conversations/none/messages', named('id')],
    ['GET', `/conversations/${ECHO}`, problem(404, 'not_found')],
    ['GET', '/servers/%00', named('id')],
    ['GET', '/conversations?limit=0', named('limit')],
    ['GET', '/conversations?limit=101', named('limit')],
    ['GET', '/conversations?limit=many', named('limit')],
    ['GET', '/conversations?kind=tomorrow', named('kind')],
    ['GET', '/conversations?unknown=1', named('unknown')],
    ['GET', '/conversations?cursor=nonsense', named('cursor')],
    ['GET', `/conversations?cursor=${cursor('1', ECHO)}`, named('cursor')],
    ['GET', `/sessions?cursor=${cursor('2000', ECHO)}`, named('cursor')],
    ['GET', `/sessions?cursor=${cursor('+275760-09-12T00:00:00Z', ECHO)}`, named('cursor')],
    ['GET', `/servers?cursor=${cursor('-'.repeat(36))}`, named('cursor')],
    ['GET', `/agents?cursor=${cursor('a\u0000')}`, named('cursor')],
    ['GET', '/users?q=%00', named('q')],
    ['GET', '/nowhere', problem(404, 'not_found')],
    ['PUT', '/sessions/by-agent/none', named('agentId')],
    ['PUT', `/sessions/by-agent/01990000-0000-7000-8000-00000000dead`, problem(404, 'not_found')],
  ])('in an address is named: %s %s', async (method, path, expected) => {
    expect(await ada.call(method, path)).toMatchObject(expected);
  });

  it('of every shape on every field of every call is refused with a name, and never breaks anything', async () => {
    const calls: [string, string, Record<string, unknown>][] = [
      [
        'POST',
        '/auth/register',
        { username: 'somebody', email: 'somebody@example.org', password: 'long enough to be one', displayName: 'S' },
      ],
      ['POST', '/auth/login', { login: 'ada', password: 'x' }],
      ['POST', '/auth/refresh', { refreshToken: 'x' }],
      ['POST', '/auth/guest', { displayName: 'S' }],
      [
        'POST',
        '/auth/claim',
        { username: 'somebody', email: 'somebody@example.org', password: 'long enough to be one' },
      ],
      ['POST', '/auth/password', { currentPassword: 'x', newPassword: 'long enough to be one' }],
      ['POST', '/auth/password/forgot', { email: 'nobody@example.org' }],
      ['POST', '/auth/password/reset', { token: 'x', newPassword: 'long enough to be one' }],
      ['PATCH', '/users/me', { displayName: 'S', avatarUrl: 'https://example.org/a.png' }],
      ['POST', '/users/me/credentials', { provider: 'openai', label: 'l', key: 'sk-0123456789' }],
      ['POST', '/servers', { name: 'S', iconUrl: 'https://example.org/i.png' }],
      ['PATCH', `/servers/${server}`, { name: 'S', iconUrl: 'https://example.org/i.png' }],
      ['POST', `/servers/${server}/channels`, { name: 'c', type: 'TEXT', categoryId: ECHO, position: 1, topic: 't' }],
      ['PATCH', `/channels/${room}`, { name: 'general', position: 0, topic: 't' }],
      ['POST', `/servers/${server}/members`, { userId: ECHO, role: 'MEMBER' }],
      ['PATCH', `/servers/${server}/members/${ada.id}`, { role: 'ADMIN' }],
      ['POST', '/sessions', { type: 'agent', title: 't', agentId: ECHO, advocateId: ECHO, externalId: 'e' }],
      ['POST', `/conversations/${room}/messages`, { content: 'x', nonce: 'n', replyToId: ECHO, metadata: {} }],
      ['PATCH', `/conversations/${room}/messages/${message}`, { content: 'x' }],
      ['POST', `/conversations/${room}/messages/bulk-delete`, { messageIds: [ECHO] }],
      ['PUT', `/conversations/${room}/read`, { seq: 1 }],
    ];
    const bad = [null, [], {}, 0, -1, 1e308, true, '', '\u0000', '\ud800', 'x'.repeat(30_000), JSON.parse(deep(500))];
    for (const [method, path, body] of calls) {
      for (const field of Object.keys(body)) {
        const answers = await Promise.all(bad.map((value) => ada.call(method, path, { ...body, [field]: value })));
        for (const [i, { status, body: said }] of answers.entries()) {
          const where = `${method} ${path} ${field} ${JSON.stringify(bad[i])?.slice(0, 30)}`;
          expect([where, status < 500]).toEqual([where, true]);
          if (status >= 400) expect([where, typeof said.code]).toEqual([where, 'string']);
        }
        expect(answers.filter(({ status }) => status === 400).length).toBeGreaterThanOrEqual(bad.length / 2);
      }
    }
    expect(app.output()).not.toMatch(/TypeError|RangeError|SyntaxError/);
  }, 60_000);

  it('names every wrong field of a registration in one answer', async () => {
    expect(
      await ada.post('/auth/register', { username: 'Everyone', email: 'e@example.org', password: 'long enough' }),
    ).toMatchObject(named('username'));
    const body = { username: 'a b', email: 'nobody', password: 'short', isAdmin: true, kind: 'bot', id: ECHO };
    const { body: said } = await ada.post('/auth/register', body);
    expect(new Set(said.errors.map(({ path }: { path: string }) => path))).toEqual(new Set(Object.keys(body)));
  });

  it('says of a wrong type only that', async () => {
    const { body } = await ada.get(`/conversations/${room}/messages?before=abc`);
    expect(body.errors).toEqual([{ path: 'before', message: 'must be an integer number' }]);
    const { body: nameless } = await ada.post('/auth/register', { email: 'e@example.org', password: 'long enough' });
    expect(nameless.errors).toEqual([{ path: 'username', message: 'must be a string' }]);
  });

  it('that is no JSON where JSON is expected is refused as that, and nothing at all as missing fields', async () => {
    const post = async (contentType: string | undefined, body: string) => {
      const headers = contentType ? { 'content-type': contentType } : undefined;
      const response = await fetch(`${app.url}/api/v1/auth/login`, {
        method: 'POST',
        body,
        ...(headers && { headers }),
      });
      return [response.status, ((await response.json()) as { code: string }).code];
    };
    expect(await post('application/x-www-form-urlencoded', '{"login":"ada"}')).toEqual([415, 'unsupported_media_type']);
    expect(await post('text/plain', 'ada')).toEqual([415, 'unsupported_media_type']);
    expect(await post(undefined, '')).toEqual([400, 'validation_failed']);
    expect(await post('application/json', '{"login":"ada"}')).toEqual([400, 'validation_failed']);
  });

  it('on the socket is answered with an error, and the socket stays', async () => {
    const socket = await ada.socket();
    const frames: [object | string, string][] = [
      ['{', 'malformed_json'],
      ['null', 'malformed_json'],
      ['[]', 'malformed_json'],
      ['7', 'malformed_json'],
      ['{}', 'unknown_type'],
      ['{"type":7}', 'unknown_type'],
      ['{"type":"constructor"}', 'unknown_type'],
      [{ type: 'message.send' }, 'validation_failed'],
      [{ type: 'message.send', conversationId: room, content: 'a\u0000b' }, 'validation_failed'],
      [{ type: 'message.send', conversationId: 'none', content: 'x' }, 'validation_failed'],
      [{ type: 'message.send', conversationId: ECHO, content: 'x' }, 'not_found'],
      [{ type: 'message.send', conversationId: room, content: 'x', seq: 1 }, 'validation_failed'],
      [{ type: 'message.send', conversationId: room, content: null }, 'validation_failed'],
      [`{"type":"message.send","conversationId":"${room}","content":${deep(5_000)}}`, 'validation_failed'],
      [{ type: 'message.edit', conversationId: room, messageId: ECHO, content: 'x' }, 'not_found'],
      [{ type: 'sync', conversationId: room, afterRev: -1 }, 'validation_failed'],
      [{ type: 'read', conversationId: room, seq: 'x' }, 'validation_failed'],
      [{ type: 'ping', x: 'y'.repeat(70_000) }, 'frame_too_large'],
    ];
    for (const [i, [frame, code]] of frames.entries()) {
      socket.send(frame);
      await socket.next(() => socket.of('error').length > i);
      expect([frame, socket.of('error').at(-1)?.code]).toEqual([frame, code]);
      expect(await socket.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });
    }
    socket.ws.send(Buffer.from('{"type":"ping"}'), { binary: true });
    await socket.next((frame) => frame.code === 'binary_frame');
    await socket.settle();
    socket.close();
  });

  it.each(['/api/v1/realtime', '/chat/ws'])(
    'closes a socket on %s with 4009 after ten broken frames in a row',
    async (path) => {
      const socket = await openSocket(app.url, `${path}?token=${ada.token}`, ['parley.v1', `bearer.${ada.token}`]);
      for (let i = 0; i < 10; i += 1) socket.send('{');
      expect(await socket.closed).toMatchObject({ code: 4009 });
      expect(socket.of('error')).toHaveLength(10);
    },
  );

  it('lets no answer to somebody be kept by a cache, and puts no secret into any', async () => {
    const paths = [
      '/users/me',
      `/users/${ada.id}`,
      '/users?q=a',
      '/auth/logins',
      '/users/me/credentials',
      '/users/me/export',
      '/agents',
      '/sessions',
      '/servers',
      `/servers/${server}`,
      `/servers/${server}/members`,
      '/conversations',
      `/conversations/${room}/messages`,
      `/conversations/${room}/changes?after=0`,
    ];
    for (const path of paths) {
      const { status, headers, body } = await ada.get(path);
      expect([path, status, headers.get('cache-control')]).toEqual([path, 200, 'no-store']);
      expect([path, JSON.stringify(body)]).toEqual([
        path,
        expect.not.stringMatching(/\$argon2|hash|secret|refreshToken|passwordHash|sealed/i),
      ]);
    }
  });

  it('in the headers of a handshake is refused, and breaks nothing', async () => {
    const many = Object.fromEntries(Array.from({ length: 1_900 }, (_, i) => [`x-${i}`, 'y']));
    const long = Array.from({ length: 300 }, (_, i) => `bearer.${'z'.repeat(30)}${i}`);
    for (const [protocols, headers] of [
      [[], many],
      [long, {}],
      [['parley.v1', 'bearer.'], {}],
    ] as [string[], object][]) {
      await expect(openSocket(app.url, '/api/v1/realtime', protocols, { headers })).rejects.toThrow();
    }
    const socket = await ada.socket();
    await socket.settle();
    socket.close();
  });

  it('says 1009 to a frame that is too large to be read at all', async () => {
    const socket = await ada.socket();
    socket.send(JSON.stringify({ type: 'ping', x: 'y'.repeat(1_100_000) }));
    expect(await socket.closed).toMatchObject({ code: 1009 });
  });

  it('is not what asks for HTTP/2 first, as some clients do with every call: it is answered in HTTP/1.1', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const wish = {
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: 'h2c',
      'http2-settings': 'AAMAAABkAAQAoAAAAAIAAAAA',
    };
    const authorization = `Bearer ${ada.token}`;
    const ask = (method: string, path: string, body?: object) =>
      new Promise<[status: number | undefined, text: string]>((resolve, reject) => {
        const headers = { ...wish, authorization, ...(body && { 'content-type': 'application/json' }) };
        request(app.url + path, { agent, method, headers }, (response) => {
          let text = '';
          response.on('data', (data: Buffer) => (text += data.toString()));
          response.on('end', () => resolve([response.statusCode, text]));
        })
          .on('error', reject)
          .end(body && JSON.stringify(body));
      });
    expect((await ask('GET', '/health/live'))[0]).toBe(200);
    const [status, text] = await ask('POST', `/api/v1/conversations/${room}/messages`, { content: 'by HTTP/1.1' });
    expect([status, JSON.parse(text)]).toMatchObject([201, { content: 'by HTTP/1.1' }]);
    expect((await ask('GET', '/api/v1/users/me'))[0]).toBe(200);
    agent.destroy();
  });
});

describe('a wrong configuration', () => {
  it('is reported at once, all of it, by name, and ends with 1', async () => {
    const { code, stderr } = await runCommand(['dist/src/main.js'], {
      PORT: 'eighty',
      DATABASE_URL: 'mysql://elsewhere',
      ALGORITHM: 'none',
      ACCESS_TOKEN_EXPIRE_MINUTES: '0',
      CORS_ORIGINS: 'chat.example',
      LEGACY_API: 'everything',
      RATE_LIMIT: 'sometimes',
      NODE_ENV: 'production',
      SECRET_KEY: 'change-me',
    });
    expect(code).toBe(1);
    for (const name of [
      'PORT',
      'DATABASE_URL',
      'ALGORITHM',
      'ACCESS_TOKEN_EXPIRE_MINUTES',
      'CORS_ORIGINS',
      'LEGACY_API',
      'RATE_LIMIT',
      'SECRET_KEY',
      'ENCRYPTION_KEY',
    ]) {
      expect(stderr).toMatch(new RegExp(`^  ${name} `, 'm'));
    }
    expect(stderr).not.toContain('change-me');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('is one also where it only looks right: the start would fail without a name, or go to another machine', async () => {
    const { code, stderr } = await runCommand(['dist/src/main.js'], {
      DB_HOST: 'db:5433',
      DATABASE_URL: 'postgres://parley:hunter#two@db/parley',
      REDIS_URL: 'redis://:hunter#two@cache',
      SMTP_URL: 'smtp://mail:999999',
      TRUST_PROXY: 'yes',
      NODE_ENV: 'production',
      SECRET_KEY: 'tHv3Jq8sYk1Zr6Wm4Xc9Lb2Nf7Pd5Gg0',
      ENCRYPTION_KEY: ',',
    });
    expect(code).toBe(1);
    for (const name of ['DB_HOST', 'DATABASE_URL', 'REDIS_URL', 'SMTP_URL', 'TRUST_PROXY', 'ENCRYPTION_KEY']) {
      expect(stderr).toMatch(new RegExp(`^  ${name} `, 'm'));
    }
    expect(stderr).not.toMatch(/hunter|^\s+at /m);
  });

  it('is one also where there can be no folder for the data, or nothing can listen there', async () => {
    const folder = await runCommand(['dist/src/main.js'], { DATA_DIR: path.resolve('package.json') });
    expect([folder.code, folder.stderr]).toEqual([1, expect.stringMatching(/^ {2}DATA_DIR /m)]);
    expect(folder.stderr).not.toMatch(/^\s+at /m);
    const database = await createTestDatabase();
    const host = await runCommand(['dist/src/main.js'], { DATABASE_URL: database.url, HOST: 'nowhere.invalid' });
    await database.drop();
    expect([host.code, host.stderr]).toEqual([1, expect.stringMatching(/^ {2}HOST /m)]);
  });

  it('reaches a database at an address of IPv6', async () => {
    const { code, stderr } = await runCommand(['dist/src/main.js'], { DB_HOST: '::1', DB_PORT: '1' });
    expect([code, stderr]).toEqual([1, expect.stringContaining('::1:1')]);
  });

  it('is one also where the database is not there', async () => {
    const { code, stderr } = await runCommand(['dist/src/main.js'], {
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
      PORT: '0',
    });
    expect(code).toBe(1);
    expect(stderr).toContain('The database cannot be reached');
  });
});

function cursor(...keys: string[]): string {
  return Buffer.from(JSON.stringify(keys)).toString('base64url');
}
