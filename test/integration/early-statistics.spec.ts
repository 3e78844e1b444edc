import { AccessService } from '../../src/access/access.service.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { ServersService } from '../../src/servers/servers/servers.service.js';
import { actor, type Services, servicesOnOwnDatabase } from '../support/services.js';
import { until } from '../support/until.js';

describe('plans of sends into a new database', () => {
  let services: Services;

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
  }, 60_000);
  afterAll(() => services.close());

  /** How many entries were read from the index of what each author said, counted by PostgreSQL with a delay. */
  const readByAuthor = async () => {
    const rows: { read: string }[] = await services.dataSource.query(
      `SELECT idx_tup_read AS read FROM pg_stat_user_indexes WHERE indexrelname = 'messages_author'`,
    );
    return Number(rows[0]?.read);
  };
  const scansByNonce = async () => {
    const rows: { scans: string }[] = await services.dataSource.query(
      `SELECT idx_scan AS scans FROM pg_stat_user_indexes WHERE indexrelname = 'messages_nonce_key'`,
    );
    return Number(rows[0]?.scans);
  };

  it('soon look for a nonce by its own index, not among all that its author said', async () => {
    const { app, dataSource } = services;
    const ada = await actor(dataSource, 'ada');
    const room = (await app.get(ServersService).create(ada, 'S', undefined)).channels[0]?.id as string;
    const writer = await app.get(AccessService).enter(ada, room, 'write');
    const send = (nonce: string) => app.get(MessagesService).append(writer, { content: 'hello', nonce });
    for (let i = 0; i < 120; i += 1) await send(`early ${i}`);
    await until(async () => {
      const [known] = await dataSource.query<[{ messages: number }]>(
        `SELECT reltuples AS messages FROM pg_class WHERE oid = 'messages'::regclass`,
      );
      return known.messages >= 100;
    });
    await send('the plan is made anew');
    await until(async () => (await scansByNonce()) > 0);
    const [read, scans] = [await readByAuthor(), await scansByNonce()];
    for (let i = 0; i < 50; i += 1) await send(`later ${i}`);
    await until(async () => (await scansByNonce()) >= scans + 50);
    expect(await readByAuthor()).toBe(read);
  });
});
