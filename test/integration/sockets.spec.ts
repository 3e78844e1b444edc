import { jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import { TokensService } from '../../src/auth/tokens.service.js';
import type { Config } from '../../src/platform/config/config.js';
import { RedisLink } from '../../src/platform/nodes/redis-link.js';
import { beat, BEAT_MS, HEARTBEAT_SECONDS } from '../../src/realtime/heartbeat.js';
import { Hub } from '../../src/realtime/hub.js';
import { openSocket } from '../support/people.js';
import { hasRedis, startRedis } from '../support/redis-server.js';
import { actor, servicesOnOwnDatabase } from '../support/services.js';

describe('the heartbeat', () => {
  it('ends a connection whose other end has gone without a word, within two heartbeats, and no other', async () => {
    const services = await servicesOnOwnDatabase();
    try {
      await services.app.listen(0, '127.0.0.1');
      const url = `http://127.0.0.1:${(services.app.getHttpServer().address() as AddressInfo).port}`;
      const { userId, loginId } = await actor(services.dataSource, 'ada');
      const { accessToken } = services.app.get(TokensService).issue(userId, loginId);
      const open = (options: object) =>
        openSocket(url, '/api/v1/realtime', ['parley.v1', `bearer.${accessToken}`], options);
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
