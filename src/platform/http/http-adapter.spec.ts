import type { Express } from 'express';
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpAdapter } from './http-adapter.js';

describe('the HTTP adapter', () => {
  let adapter: HttpAdapter;
  let server: Server;

  beforeAll(async () => {
    adapter = new HttpAdapter();
    adapter.initHttpServer();
    server = adapter.getHttpServer();
    adapter.get('/ping', (request: Express['request'], response: Express['response']) =>
      response.json({ asked: request.query, by: request.get('User-Agent'), knowsApp: request.app === response.app }),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => server.close());

  const ask = async (): Promise<unknown> => {
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/ping?x=1`, { headers: { 'user-agent': 'test' } });
    return response.json();
  };

  it('serves as Express does', async () => {
    expect(await ask()).toEqual({ asked: { x: '1' }, by: 'test', knowsApp: true });
  });

  it('makes requests and responses with the prototype that Express would give them', async () => {
    const app = adapter.getInstance<Express>();
    const made: object[] = [];
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      made.push(Object.getPrototypeOf(request) as object, Object.getPrototypeOf(response) as object);
    });
    await ask();
    expect(made[0]).toBe(app.request);
    expect(made[1]).toBe(app.response);
  });
});
