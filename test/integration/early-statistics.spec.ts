import { v7 as uuidv7 } from 'uuid';
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

  it('look up the rooms they go to, and read no others', async () => {
    const { app, dataSource } = services;
    const ada = await actor(dataSource, 'eve');
    const room = (await app.get(ServersService).create(ada, 'S', undefined)).channels[0]?.id as string;
    await dataSource.query(
      `WITH room AS (INSERT INTO conversations (id, kind)
         SELECT uuidv7(), 'session' FROM generate_series(1, 300) RETURNING id)
       INSERT INTO sessions (id, type, owner_id) SELECT id, 'peer', $1 FROM room`,
      [ada.userId],
    );
    await dataSource.query(`ANALYZE`);
    const draft = { conversationId: room, authorId: ada.userId, role: 'user', content: 'hi', mentionsEveryone: false };
    const rowsRead = await dataSource.transaction(async (tx) => {
      const read = async () => {
        // The counts of this connection, which may hold some of earlier transactions still.
        const tables = await tx.query<{ name: string; rows: number }[]>(
          `SELECT relname AS name, (seq_tup_read + idx_tup_fetch)::int AS rows FROM pg_stat_xact_user_tables
           WHERE relname IN ('conversations', 'sessions', 'threads', 'replies')`,
        );
        return new Map(tables.map(({ name, rows }) => [name, rows]));
      };
      const before = await read();
      await tx.query(`SELECT FROM append_messages($1)`, [JSON.stringify([{ ...draft, id: uuidv7() }])]);
      return [...(await read())].map(([name, rows]) => ({ name, rows: rows - (before.get(name) ?? 0) }));
    });
    expect(rowsRead).toHaveLength(4);
    expect(rowsRead.filter(({ rows }) => rows >= 10)).toEqual([]);
  });
});
