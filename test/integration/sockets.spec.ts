import { jest } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { ConversationsService } from '../../src/conversations/conversations.service.js';
import type { Config } from '../../src/platform/config/config.js';
import { RedisLink } from '../../src/platform/nodes/redis-link.js';
import { Connection } from '../../src/realtime/connection.js';
import { Handshake } from '../../src/realtime/handshake.js';
import { beat, BEAT_MS, HEARTBEAT_SECONDS } from '../../src/realtime/heartbeat.js';
import { Hub } from '../../src/realtime/hub.js';
import { SocketServer } from '../../src/realtime/socket-server.js';
import { between, listening, socketTo } from '../support/apart.js';
import { hasRedis, startRedis } from '../support/redis-server.js';
import { actor, servicesOnOwnDatabase } from '../support/services.js';

describe('the heartbeat', () => {
  it('ends a connection whose other end has gone without a word, within two heartbeats, and no other', async () => {
    const services = await servicesOnOwnDatabase();
    try {
      const url = await listening(services);
      const ada = await actor(services.dataSource, 'ada');
      const open = (options: object) => socketTo(services, url, ada, options);
      const [gone, alive] = await Promise.all([open({ autoPong: false }), open({})]);
      await Promise.all([gone.next('ready'), alive.next('ready')]);
      const { connections } = services.app.get(Hub);
      let beats = 0;
      for (; connections.size > 1; beats += 1) {
        beat(connections);
        while (![...connections].some(({ unansweredPings }) => unansweredPings === 0)) await sleep(5);
        if (beats === 2) await gone.closed;
      }
      expect(beats * BEAT_MS).toBeLessThanOrEqual(2 * HEARTBEAT_SECONDS * 1000);
      alive.send({ type: 'ping' });
      await alive.next('pong');
      alive.close();
    } finally {
      await services.close();
    }
  }, 60_000);
});

describe('a handshake', () => {
  it('that is refused leaves nothing open, though the other end keeps its side', async () => {
    const services = await servicesOnOwnDatabase();
    try {
      const { hostname, port } = new URL(await listening(services));
      const server = services.app.getHttpServer();
      const count = promisify(server.getConnections.bind(server));
      const caller = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
      caller.on('error', () => undefined);
      caller.write(
        'GET /api/v1/realtime HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
      );
      let answer = '';
      caller.on('data', (chunk) => (answer += String(chunk)));
      await once(caller, 'end');
      expect(answer).toMatch(/^HTTP\/1.1 401 /);
      for (let tries = 0; tries < 40 && (await count()) > 0; tries += 1) await sleep(50);
      const left = await count();
      caller.destroy();
      expect(left).toBe(0);
    } finally {
      await services.close();
    }
  }, 60_000);

  it('that is under way when the node begins to shut down opens no socket', async () => {
    const services = await servicesOnOwnDatabase();
    try {
      const url = await listening(services);
      const ada = await actor(services.dataSource, 'ada');
      let closing: Promise<void> | undefined;
      between(services.app.get(Handshake), 'welcome', () => {
        closing = services.app.get(SocketServer).beforeApplicationShutdown();
      });
      await expect(socketTo(services, url, ada)).rejects.toThrow('503');
      await closing;
      expect(services.app.get(Hub).connections.size).toBe(0);
    } finally {
      await services.close();
    }
  }, 60_000);
});

describe('what a socket sends', () => {
  it('is not read on while much of it waits to be worked on', async () => {
    const services = await servicesOnOwnDatabase();
    try {
      const url = await listening(services);
      const ada = await actor(services.dataSource, 'ada');
      const conversations = services.app.get(ConversationsService);
      let go = (): void => undefined;
      between(conversations, 'statesOf', () => new Promise<void>((resolve) => (go = resolve)));
      const socket = await socketTo(services, url, ada);
      const [{ ws }] = services.app.get(Hub).connections as unknown as [Connection];
      let taken = 0;
      ws.on('message', (data: Buffer) => (taken += data.length));
      for (let n = 0; n < 8; n += 1) socket.send('x'.repeat(900_000));
      while (!ws.isPaused && taken < 8 * 900_000) await sleep(5);
      await sleep(200);
      expect(taken).toBeLessThan(2_000_000);
      go();
      while (taken < 8 * 900_000) await sleep(5);
      socket.close();
    } finally {
      await services.close();
    }
  }, 60_000);
});

describe('a crowd', () => {
  it('is told bit by bit, after who waits for an answer, and what happens meanwhile goes along', async () => {
    const services = await servicesOnOwnDatabase();
    const written = jest.spyOn(Connection.prototype, 'writeOut');
    try {
      const url = await listening(services);
      const ada = await actor(services.dataSource, 'ada');
      const sockets = await Promise.all(Array.from({ length: 90 }, () => socketTo(services, url, ada)));
      await Promise.all(sockets.map((socket) => socket.next('ready')));
      const hub = services.app.get(Hub);
      const tell = (type: string) => hub.deliver({ type, audience: [`user:${ada.userId}`], data: {} });
      written.mockClear();

      const asking = [...hub.connections].at(-1) as Connection;
      tell('first');
      asking.send({ type: 'pong' });
      await setImmediate();
      expect(written.mock.contexts[0]).toBe(asking);
      expect(written).toHaveBeenCalledTimes(1 + 32);

      tell('second');
      for (const socket of sockets) {
        const [first, second] = [await socket.next('first'), await socket.next('second')];
        expect(socket.heard.indexOf(first)).toBeLessThan(socket.heard.indexOf(second));
      }
      expect(written).toHaveBeenCalledTimes(1 + 32 + 57 + 33);
      sockets.forEach((socket) => socket.close());
    } finally {
      written.mockRestore();
      await services.close();
    }
  }, 60_000);
});

(hasRedis ? describe : describe.skip)('the line to Redis', () => {
  it('is not believed to be well for longer because the clock was put back', async () => {
    const redis = await startRedis();
    const link = new RedisLink({ redisUrl: redis.url } as Config);
    const clock = jest.spyOn(Date, 'now');
    try {
      await link.onApplicationBootstrap();
      expect(link.isHealthy).toBe(true);
      const now = Date.now();
      clock.mockReturnValue(now - 3_600_000);
      redis.freeze();
      const begun = performance.now();
      while (link.isHealthy && performance.now() - begun < 10_000) await sleep(50);
      expect(link.isHealthy).toBe(false);
    } finally {
      clock.mockRestore();
      redis.thaw();
      link.onApplicationShutdown();
      await redis.stop();
    }
  }, 30_000);
});
