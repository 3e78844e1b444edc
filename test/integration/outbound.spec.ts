import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { brotliCompressSync } from 'node:zlib';
import { loadConfig } from '../../src/platform/config/config.js';
import { outboundError } from '../../src/platform/outbound/outbound-error.js';
import { type Lookup, Outbound, type OutboundCall } from '../../src/platform/outbound/outbound.js';

const GET: OutboundCall = { method: 'GET' };
const POST: OutboundCall = { method: 'POST', body: 'x' };
const SECRET = 'k9Jw2LqZ8vXr4TnB7mYcP3sHdF6gA1eU0oRiW5';

describe('calls to addresses that somebody has typed in', () => {
  const servers: (Server | TcpServer)[] = [];
  const guards: Outbound[] = [];
  let asked: string[] = [];
  let port: number;

  const listen = (host: string, listener: RequestListener, at = 0) =>
    new Promise<number>((resolve) => {
      const server = createServer(listener).listen(at, host, () => resolve((server.address() as AddressInfo).port));
      servers.push(server);
    });

  /** A resolver that knows these names, and tells what it was asked. */
  const resolver =
    (names: Record<string, string[]>): Lookup =>
    (name, _, callback) => {
      asked.push(name);
      const next = names[name]?.length === 1 ? names[name][0] : names[name]?.shift();
      if (next === undefined) return callback(Object.assign(new Error('none'), { code: 'ENOTFOUND' }), []);
      callback(
        null,
        next.split(' ').map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    };

  const guard = (allowed: string, names: Record<string, string[]> = {}) => {
    const settings = { SECRET_KEY: SECRET, ENCRYPTION_KEY: SECRET, OUTBOUND_ALLOWED_HOSTS: allowed };
    const outbound = new Outbound(loadConfig({ ...settings, AGENT_TIMEOUT_SECONDS: '1' }), resolver(names));
    guards.push(outbound);
    return outbound;
  };
  const refused = (code: string) => expect.objectContaining({ code });

  let reached: string[] = [];
  beforeAll(async () => {
    port = await listen('127.0.0.1', (request, response) => {
      reached.push(request.url ?? '');
      response.end('secret of the house');
    });
  });
  beforeEach(() => {
    asked = [];
    reached = [];
  });
  afterAll(async () => {
    for (const outbound of guards) await outbound.onApplicationShutdown();
    for (const server of servers) {
      if ('closeAllConnections' in server) server.closeAllConnections();
      server.close();
    }
  });

  it.each([
    'http://127.0.0.1:PORT/',
    'http://127.1:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f000001:PORT/',
    'http://0x7f.0.0.1:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://017700000001:PORT/',
    'http://127.0.0.1.:PORT/',
    'http://１２７.０.０.１:PORT/',
    'http://0.0.0.0:PORT/',
    'http://0:PORT/',
    'http://[::1]:PORT/',
    'http://[::]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[::ffff:7f00:1]:PORT/',
    'http://[::127.0.0.1]:PORT/',
    'http://[64:ff9b::127.0.0.1]:PORT/',
    'http://[2002:7f00:1::]:PORT/',
    'http://[fd00::1]:PORT/',
    'http://[fe80::1]:PORT/',
    'http://169.254.169.254/latest/meta-data',
    'http://localhost:PORT/',
    'http://LOCALHOST.:PORT/',
    'http://a.localhost:PORT/',
    'http://user:password@agent.example:PORT/',
    'ftp://127.0.0.1:PORT/',
    'file:///etc/passwd',
    'data:text/plain,hello',
    'agent.example/hook',
    '',
  ])('do not leave for %s, and it cannot be stored', async (address) => {
    const outbound = guard('');
    const url = address.replace('PORT', String(port));
    expect(outbound.objection(url)).toBeDefined();
    await expect(outbound.call(url, GET)).rejects.toEqual(refused('not_allowed'));
    expect([asked, reached]).toEqual([[], []]);
  });

  it.each([
    ['127.0.0.1'],
    ['::1'],
    ['::ffff:127.0.0.1'],
    ['10.1.2.3'],
    ['64:ff9b::7f00:1'],
    ['93.184.216.34 127.0.0.1'],
    ['127.0.0.1 93.184.216.34'],
  ])('do not leave for a name that is %s', async (addresses) => {
    const outbound = guard('', { 'agent.example': [addresses] });
    expect(outbound.objection(`http://agent.example:${port}/`)).toBeUndefined();
    await expect(outbound.call(`http://agent.example:${port}/`, GET)).rejects.toEqual(refused('not_allowed'));
    expect([asked, reached]).toEqual([['agent.example'], []]);
  });

  it('go to the address that was judged, also where the name has another one by then', async () => {
    const other = await listen(
      '127.0.0.2',
      (_, response) => response.setHeader('connection', 'close').end('hello'),
      port,
    );
    expect(other).toBe(port);
    const outbound = guard('127.0.0.2', { 'agent.example': ['127.0.0.2', '127.0.0.1'] });
    const answer = await outbound.call(`http://agent.example:${port}/`, GET);
    expect([await answer.body.text(), asked]).toEqual(['hello', ['agent.example']]);
    await expect(outbound.call(`http://agent.example:${port}/`, GET)).rejects.toEqual(refused('not_allowed'));
    expect(asked).toHaveLength(2);
    expect(reached).toEqual([]);
  });

  it('go to what is allowed by name, by address and by port, and to nothing beside it', async () => {
    expect(await (await guard('127.0.0.1').call(`http://127.0.0.1:${port}/`, GET)).body.text()).toBe(
      'secret of the house',
    );
    expect(await (await guard('localhost').call(`http://localhost:${port}/`, GET)).body.text()).toBe(
      'secret of the house',
    );
    expect(guard('localhost').objection(`http://127.0.0.1:${port}/`)).toBeDefined();
    expect(guard(`127.0.0.1:${port}`).objection(`http://127.0.0.1:${port + 1}/`)).toBeDefined();
    await expect(guard(`127.0.0.1:${port}`).call(`http://127.0.0.1:${port + 1}/`, GET)).rejects.toEqual(
      refused('not_allowed'),
    );
  });

  it.each([301, 302, 303, 307, 308])('do not follow a %d', async (status) => {
    const from = await listen('127.0.0.1', (_, response) =>
      response.writeHead(status, { location: `http://127.0.0.1:${port}/inside` }).end(),
    );
    const outbound = guard(`127.0.0.1`);
    await expect(outbound.call(`http://127.0.0.1:${from}/`, POST)).rejects.toEqual(refused('redirected'));
    expect(reached).toEqual([]);
  });

  it('end at 1 MiB, and at 16 MiB where the answer comes as a stream', async () => {
    const large = 'x'.repeat(1024 * 1024 + 1);
    const at = await listen('127.0.0.1', (request, response) => {
      if (request.url === '/fits') response.end(large.slice(1));
      else if (request.url === '/told') response.end(large);
      else {
        for (let i = 0; i < 17; i += 1) response.write(large);
        response.end();
      }
    });
    const outbound = guard('127.0.0.1');
    expect(await (await outbound.call(`http://127.0.0.1:${at}/fits`, GET)).body.text()).toHaveLength(1024 * 1024);
    for (const take of [
      async () => (await outbound.call(`http://127.0.0.1:${at}/told`, GET)).body.text(),
      async () => (await outbound.call(`http://127.0.0.1:${at}/flood`, GET)).body.text(),
      async () => (await outbound.stream(`http://127.0.0.1:${at}/flood`, GET)).body.text(),
    ]) {
      const error: unknown = await take().catch((reason: unknown) => reason);
      expect(outboundError(error)).toMatchObject({ code: 'too_large' });
    }
    expect(await (await outbound.stream(`http://127.0.0.1:${at}/told`, GET)).body.text()).toHaveLength(large.length);
  });

  it('offer no compression, and take no answer that is compressed', async () => {
    const bomb = brotliCompressSync(Buffer.alloc(64 * 1024 * 1024));
    const offers: unknown[] = [];
    const at = await listen('127.0.0.1', ({ headers }, response) => {
      offers.push(headers['accept-encoding']);
      response.setHeader('content-encoding', 'br').end(bomb);
    });
    await expect(guard('127.0.0.1').call(`http://127.0.0.1:${at}/`, GET)).rejects.toEqual(refused('encoded'));
    expect(offers).toEqual([undefined]);
  });

  it('end with the time limit, whether nothing comes or it never stops coming', async () => {
    const at = await listen('127.0.0.1', (request, response) => {
      if (request.url !== '/drips') return;
      const drip = setInterval(() => response.write('x'), 50);
      response.once('close', () => clearInterval(drip));
    });
    const outbound = guard('127.0.0.1');
    await expect(outbound.call(`http://127.0.0.1:${at}/hangs`, GET)).rejects.toEqual(refused('timeout'));
    const drips = await outbound.call(`http://127.0.0.1:${at}/drips`, GET);
    await expect(drips.body.text()).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('say so where nobody is there, the name is none, or what is there speaks no HTTP', async () => {
    const tcp = createTcpServer((socket) => socket.end('hello\r\n\r\n'));
    servers.push(tcp);
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    const outbound = guard('127.0.0.1', {});
    const closed = await listen('127.0.0.1', () => undefined);
    await new Promise((resolve) => servers.pop()?.close(resolve));
    const mute = (tcp.address() as AddressInfo).port;
    for (const [address, code] of [
      [`127.0.0.1:${closed}`, 'unreachable'],
      ['nowhere.example', 'unreachable'],
      [`127.0.0.1:${mute}`, 'broken'],
    ] as const)
      await expect(outbound.call(`http://${address}/`, GET)).rejects.toEqual(refused(code));
  });

  it('stop when the caller does', async () => {
    const at = await listen('127.0.0.1', () => undefined);
    const stop = new AbortController();
    const call = guard('127.0.0.1').call(`http://127.0.0.1:${at}/`, { ...GET, signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
  });
});
