import type { AddressInfo, Server } from 'node:net';
import { WebSocket } from 'ws';
import { GeneralLimit } from '../../src/platform/limits/general-limit.js';
import { startServices } from '../support/services.js';
import { createTestDatabase } from '../support/test-database.js';

describe('the general limit', () => {
  it('counts the opening of a socket as a call of the address that the trusted proxy names', async () => {
    const database = await createTestDatabase();
    const { app, close } = await startServices(database.url, { RATE_LIMIT: 'on', TRUST_PROXY: '1' });
    try {
      await app.listen(0);
      const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
      const open = (from: string) =>
        new Promise<number | undefined>((resolve, reject) => {
          const headers = { 'x-forwarded-for': from };
          const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v1/realtime`, { headers });
          socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
          socket.on('error', reject);
        });
      expect(await open('192.0.2.1')).toBe(401);
      const limit = app.get(GeneralLimit);
      while (await admits(limit, '192.0.2.1'));
      expect(await open('192.0.2.1')).toBe(429);
      expect(await open('192.0.2.1, 192.0.2.2')).toBe(401);
    } finally {
      await close();
      await database.drop();
    }
  }, 60_000);
});

async function admits(limit: GeneralLimit, address: string): Promise<boolean> {
  return limit.admit(address).then(
    () => true,
    () => false,
  );
}
