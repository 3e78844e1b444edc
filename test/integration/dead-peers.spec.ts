import type pg from 'pg';
import { NodeLock } from '../../src/platform/database/node-lock.js';
import { type Services, servicesOnOwnDatabase } from '../support/services.js';

describe('a node whose machine has lost its power', () => {
  let services: Services;
  beforeAll(async () => (services = await servicesOnOwnDatabase()), 60_000);
  afterAll(() => services.close());

  /** In seconds; PostgreSQL asks so often, and goes by the answers of the other end's machine. */
  const patienceOf = async (client: Pick<pg.ClientBase, 'query'>) => {
    const { rows } = await client.query<{ patience: number }>(
      `SELECT current_setting('tcp_keepalives_idle')::int + current_setting('tcp_keepalives_interval')::int
         * current_setting('tcp_keepalives_count')::int AS patience`,
    );
    return rows[0]?.patience;
  };

  it('has nothing locked any more after half a minute', async () => {
    const runner = services.dataSource.createQueryRunner();
    const connection: pg.PoolClient = await runner.connect();
    expect(await patienceOf(connection).finally(() => runner.release())).toBe(25);
  });

  it('is not held to be there any more either', async () => {
    const { client } = services.app.get<unknown>(NodeLock) as { client: pg.Client };
    expect(await patienceOf(client)).toBe(25);
  });
});
